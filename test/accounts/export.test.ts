import { expect, test } from 'bun:test'
import { type Column, getTableColumns } from 'drizzle-orm'
import { getTableConfig, type SQLiteTable } from 'drizzle-orm/sqlite-core'
import * as schema from '../../src/storage/schema.sqlite.ts'
import { audit, loggedIn, sessionIdOf } from '../sessions/support.ts'
import type { SignedUp, TestApp } from '../support/app.ts'
import { describeApp } from '../support/hooks.ts'
import { expectRefusal } from '../support/refusal.ts'
import { serve } from '../support/socket.ts'

const ask = (app: TestApp, { grant }: SignedUp, json: object = {}) =>
  app.request('POST', '/users/me/export', { token: grant.access_token, json })

type Export = Record<string, Record<string, unknown>[]> & { user: Record<string, unknown>; exported_at: string }
const exported = async (app: TestApp, user: SignedUp): Promise<Export> => {
  const answer = await ask(app, user)
  expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'application/json'])
  expect(answer.headers.get('cache-control')).toBe('no-store')
  return (await answer.json()) as Export
}

/** What is about a user and is not exported, by table or by column, and why. */
const exceptions: Record<string, string> = {
  auditErasures: 'only deleted users have a row',
  logoutDeliveries: 'a row waits until an application was told, and repeats the session',
  'authorizationCodes.mac': 'a MAC',
  'authorizationCodes.userId': 'it is the id of the user',
  'authorizationCodes.codeChallenge': 'a hash',
  'consents.userId': 'it is the id of the user',
  'deviceCodes.mac': 'a MAC',
  'deviceCodes.userCodeMac': 'a MAC',
  'deviceCodes.userId': 'it is the id of the user',
  'auditEvents.userId': 'it is the id of the user, which the export has once',
  'auditEvents.actorId': 'the event is about another user, in whose export it is',
  'auditEvents.ipWholeSince': 'it repeats the time of the event',
  'factorAccounts.userId': 'it is the id of the user',
  'factorAccounts.webauthnHandle': 'random bytes that only passkeys use',
  'factorChallenges.mac': 'a MAC',
  'factorChallenges.userId': 'it is the id of the user',
  'factorChallenges.epoch': 'a counter of the server',
  'factorChallenges.login': 'what the login needs to go on',
  'factorChallenges.challenge': 'random bytes that only an answer of WebAuthn repeats',
  'passkeys.userId': 'it is the id of the user',
  'passkeys.credentialId': 'a part of the key',
  'passkeys.publicKey': 'a key',
  'passkeys.alg': 'a part of the key',
  'passkeys.signCount': 'a counter of the key',
  'recoveryCodes.userId': 'it is the id of the user',
  'recoveryCodes.mac': 'a MAC',
  'trustedDevices.userId': 'it is the id of the user',
  'trustedDevices.mac': 'a MAC',
  'trustedDevices.epoch': 'a counter of the server',
  'totpFactors.userId': 'it is the id of the user',
  'totpFactors.secret': 'a seal',
  'totpFactors.lastStep': 'a counter of the server',
  'apiKeys.ownerId': 'it is the id of the user',
  'apiKeys.mac': 'a MAC',
  'devices.userId': 'it is the id of the user',
  'mails.userId': 'it is the id of the user',
  'mails.sealed': 'a seal',
  'proofs.userId': 'it is the id of the user',
  'proofs.subject': 'only pending registrations have one',
  'proofs.epoch': 'a counter of the server',
  'proofs.tokenMac': 'a MAC',
  'proofs.codeMac': 'a MAC',
  'reservedAddresses.emailKey': 'the address in lower case',
  'reservedAddresses.epoch': 'a counter of the server',
  'reservedAddresses.userId': 'it is the id of the user',
  'reservedNames.userId': 'it is the id of the user',
  'reservedNames.mac': 'a MAC',
  'sessions.userId': 'it is the id of the user',
  'sessions.epoch': 'a counter of the server',
  'sessions.confirmedGeneration': 'a counter of the server',
  'sessions.macSalt': 'a part of the key of a MAC',
  'sessions.reviewAt': 'when the server cleans up',
  'userRoles.userId': 'it is the id of the user',
  'users.emailKey': 'the address in lower case',
  'users.usernameKey': 'the username in lower case',
  'users.passwordHash': 'a hash',
  'users.passwordScheme': 'a part of the hash',
  'users.sessionEpoch': 'a counter of the server',
  'users.deviceEpoch': 'a secret of earlier versions',
}

/** The column that names the user, by table. */
function referenceOf(table: SQLiteTable): string | undefined {
  const columns = Object.entries(getTableColumns(table))
  const keys = getTableConfig(table).foreignKeys.map((key) => key.reference())
  const foreign = keys.find(({ foreignTable }) => foreignTable === schema.users)?.columns[0]?.name
  return columns.find(([, { name }]) => name === foreign || /(^|_)(user|owner)_id$/.test(name))?.[0]
}

const tables = Object.entries(schema as Record<string, unknown>)
  .filter((entry): entry is [string, SQLiteTable] => entry[0] !== 'default' && isTable(entry[1]))
  .map(([name, table]) => ({ name, table, reference: name === 'users' ? 'id' : referenceOf(table) }))
  .filter(({ reference }) => reference !== undefined)

function isTable(value: unknown): value is SQLiteTable {
  try {
    return getTableConfig(value as SQLiteTable).columns.length > 0
  } catch {
    return false
  }
}

/** The id of a client that is registered. */
let client = ''

/** A value that occurs nowhere else, and the text of it in an export. */
function sentinel(name: string, column: Column, at: number): { value: unknown; text: string } {
  if (name.endsWith('.clientId') && name !== 'sessions.clientId') return { value: client, text: `"${client}"` }
  if (name === 'userRoles.role') return { value: 'admin', text: '"role":"admin"' }
  if (column.name === 'details') return { value: `{"sentinel":"${name}"}`, text: `"sentinel":"${name}"` }
  if (column.dataType === 'boolean') return { value: true, text: 'true' }
  if (column.dataType === 'string') return { value: `sentinel ${name}`, text: `"sentinel ${name}"` }
  const isTime = /(?:_at|^at|_time|_until)$/.test(column.name)
  const value = isTime ? Date.UTC(2031, 0, 1) + at * 1_000 : 770_000 + at
  return { value, text: isTime ? `"${new Date(value).toISOString()}"` : String(value) }
}

describeApp('POST /users/me/export', { env: { RATE_LIMIT: 'on' } }, (app) => {
  test('13.6 has every column of every table with a user in it, or the column is on a list of exceptions', async () => {
    const signedUp = await app.signUp('ada')
    // The factors that the test adds make a second factor due.
    const phone = await app.factors.addApp(signedUp.id)
    const ada = { ...signedUp, grant: await loggedIn(app, signedUp, { otp: phone.code() }) } as SignedUp
    await app.rows.factorAccounts.remove()
    client = (await app.admin.createClient()).client.id
    const names = tables.map(({ name }) => name).sort()
    expect(names).toEqual(expect.arrayContaining(['users', 'sessions', 'devices', 'userRoles', 'apiKeys', 'mails']))
    const expected: [string, string][] = []
    for (const { name, table, reference } of tables) {
      if (name in exceptions) continue
      const values: Record<string, unknown> = {}
      for (const [at, [key, column]] of Object.entries(Object.entries(getTableColumns(table)))) {
        const path = `${name}.${key}`
        if (key === reference || (name === 'users' && path in exceptions)) {
          values[key] = ada.id
          continue
        }
        // The access token of the test needs its user and its session.
        if (name === 'users' && ['isActive', 'sessionEpoch'].includes(key)) continue
        const { value, text } = sentinel(path, column, Number(at) + 100 * names.indexOf(name))
        values[key] = value
        if (!(path in exceptions)) expected.push([path, text])
      }
      const rows = app.rows[name as 'users']
      if (name === 'users') {
        const changes = Object.entries(values).filter(([key]) => !(`users.${key}` in exceptions) && key !== 'id')
        await rows.change({ id: ada.id }, Object.fromEntries(changes))
      } else await rows.add(values as never)
    }
    const text = await (await ask(app, ada)).text()
    const missing = expected.filter(([, sought]) => !text.includes(sought)).map(([path]) => path)
    expect(missing).toEqual([])
    for (const path of Object.keys(exceptions)) expect(text).not.toContain(`sentinel ${path}"`)
    // The exceptions name only what there is.
    for (const path of Object.keys(exceptions)) {
      const [name, key] = path.split('.') as [string, string | undefined]
      const table = tables.find((one) => one.name === name)?.table
      expect([path, table !== undefined && (key === undefined || key in getTableColumns(table))]).toEqual([path, true])
    }
  })

  test('13.6 has the data of the user and of nobody else, and no secret', async () => {
    const [ada, bea] = [await app.signUp('ada'), await app.signUp('bea')]
    await app.admin.giveRole(ada.id, 'admin')
    const { text } = await app.admin.createApiKey({ owner: ada.id, scopes: ['tokens:introspect'] })
    const other = await loggedIn(app, ada)
    await app.request('POST', '/logout', { token: other.access_token })
    const answer = await exported(app, ada)
    expect(answer.user).toMatchObject({ id: ada.id, email: ada.email, username: 'ada', name: null, has_password: true })
    expect(answer.roles).toEqual([{ role: 'admin', granted_at: '2026-01-01T00:00:00.000Z' }])
    expect(answer.sessions!.map(({ id, ended_at }) => [id, ended_at !== null])).toEqual(
      [
        [sessionIdOf(ada.grant as never), false],
        [sessionIdOf(other), true],
      ].sort(),
    )
    expect(answer.devices).toHaveLength(2)
    expect(answer.api_keys).toMatchObject([{ scopes: 'tokens:introspect', revoked_at: null }])
    expect(answer.audit_events!.map(({ event }) => event)).toEqual(
      expect.arrayContaining([
        'user.registered',
        'login.succeeded',
        'role.granted',
        'api_key.created',
        'user.exported',
      ]),
    )
    const whole = JSON.stringify(answer)
    const { passwordHash } = await app.rows.users.one({ id: ada.id })
    const { mac } = await app.rows.apiKeys.one()
    const { macSalt } = await app.rows.sessions.one({ id: sessionIdOf(ada.grant as never) })
    for (const secret of [passwordHash!, mac, macSalt, text, ada.grant.access_token, ada.grant.refresh_token!])
      expect(whole).not.toContain(secret)
    expect(whole).not.toContain(bea.email)
    expect(whole).not.toContain(sessionIdOf(bea.grant as never))
    expect(await audit(app, 'user.exported')).toMatchObject([{ userId: ada.id }])
  })

  test('13.6 has all sessions and audit events, also when there are many', async () => {
    const ada = await app.signUp('ada')
    const { id: _, ...event } = (await app.rows.auditEvents.all({ event: 'login.succeeded' }))[0]!
    const session = await app.rows.sessions.one()
    for (let part = 0; part < 5; part++) {
      await app.rows.auditEvents.add(...Array.from({ length: 250 }, () => event as never))
      const copies = Array.from({ length: 250 }, (_, at) => ({ ...session, id: `copy-${part}-${at}`, endedAt: 1 }))
      await app.rows.sessions.add(...copies)
    }
    const { sessions, audit_events } = await exported(app, ada)
    expect(new Set(sessions!.map(({ id }) => id)).size).toBe(1251)
    expect(audit_events).toHaveLength(await app.rows.auditEvents.count({ userId: ada.id }))
    expect(new Set(audit_events!.map(({ id }) => id)).size).toBe(audit_events!.length)
    const served = serve(app)
    try {
      const headers = { authorization: `Bearer ${ada.grant.access_token}` }
      const answer = await fetch(`${served.url}/users/me/export`, { method: 'POST', headers })
      const whole = (await answer.json()) as Export
      expect([answer.status, whole.sessions!.length]).toEqual([200, 1251])
    } finally {
      served.stop()
    }
  })

  test('13.6 takes the password, and counts in account.write', async () => {
    const ada = await app.signUp('ada')
    await expectRefusal(await ask(app, ada, { password: 'wrong' }), 'invalid_password')
    const statuses: number[] = []
    for (let at = 0; at < 31; at++) statuses.push((await ask(app, ada, { password: ada.password })).status)
    expect(statuses).toEqual([...Array(30).fill(200), 429])
  })
})
