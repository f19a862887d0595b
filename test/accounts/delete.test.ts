import { expect, test } from 'bun:test'
import { DAY } from '../../src/lib/clock.ts'
import { audit, login, me, refresh, sessionIdOf } from '../sessions/support.ts'
import type { RequestOptions, SignedUp, TestApp } from '../support/app.ts'
import { describeApp } from '../support/hooks.ts'
import { expectRefusal } from '../support/refusal.ts'
import { standIn } from '../support/replace.ts'
import { serve } from '../support/socket.ts'

const remove = (app: TestApp, { grant }: SignedUp, options: RequestOptions = {}) =>
  app.request('DELETE', '/users/me', { token: grant.access_token, ...options })
const register = (app: TestApp, email: string, username: string) =>
  app.request('POST', '/register', { json: { email, username, password: 'correct horse battery' } })

/** Every stored row that names the user, as text with the name of its table. */
async function traces(app: TestApp, { id, username }: SignedUp, sids: string[]): Promise<string[]> {
  const patterns = [
    new RegExp(username, 'i'),
    ...sids.map((sid) => new RegExp(sid)),
    new RegExp(`limits .*/u${id}[@"]`),
    new RegExp(`"(userId|ownerId|actorId)":${id}\\b`),
  ]
  const rows: string[] = []
  for (const [table, { all }] of Object.entries(app.rows))
    for (const row of await all()) rows.push(`${table} ${JSON.stringify(row)}`)
  return rows.filter((row) => patterns.some((pattern) => pattern.test(row)))
}

/** What may be left of a deleted user: audit events with the id and nothing else. */
async function expectNothingLeft(app: TestApp, user: SignedUp, sids: string[]): Promise<void> {
  // The places that a login at the same moment took in the rate limits come back within two days.
  await app.clock.advance(2 * DAY)
  await app.process.cleanUp()
  const left = await traces(app, user, sids)
  expect([...new Set(left.map((row) => row.split(' ')[0]))]).toEqual(['auditEvents'])
  for (const row of left)
    expect(JSON.parse(row.slice(row.indexOf(' ')))).toMatchObject({ userId: user.id, sessionId: null, ip: null })
}

const passwords = standIn<'passwords'>()
const options = { env: { RATE_LIMIT: 'on' }, mailbox: true, replace: { passwords: passwords.replacement } }

describeApp('deleting the own account', options, (app) => {
  test('13.6 leaves nothing but the id in audit rows and the reserved username', async () => {
    const zoe = await app.signUp('zebedee')
    const bea = await app.signUp('bea')
    await app.admin.giveRole(zoe.id, 'admin')
    await app.admin.giveRole(bea.id, 'admin')
    await app.admin.createApiKey({ owner: zoe.id, scopes: ['tokens:introspect'] })
    await login(app, { username: 'zebedee', password: 'wrong' })
    await app.request('PUT', '/users/me/password', {
      token: zoe.grant.access_token,
      json: { current_password: zoe.password, new_password: 'another long password' },
    })
    // A mail that was asked for by the address alone; the worker has not found its user yet.
    expect((await app.request('POST', '/password/forgot', { json: { email: 'Zebedee@example.com' } })).status).toBe(202)
    expect(await app.rows.mails.count({ userId: null })).toBe(1)
    const sids = [sessionIdOf(zoe.grant as never)]
    const tables = async () => new Set((await traces(app, zoe, sids)).map((row) => row.split(' ')[0]!))
    expect([...(await tables())].sort()).toEqual(
      ['apiKeys', 'auditEvents', 'devices', 'mails', 'sessions', 'userRoles', 'users']
        .concat((await tables()).has('limits') ? ['limits'] : [])
        .sort(),
    )
    const done = await remove(app, zoe, { json: { password: 'another long password' } })
    expect([done.status, await done.text()]).toEqual([204, ''])
    expect(await me(app, zoe.grant.access_token)).toBe(401)
    expect((await refresh(app, zoe.grant.refresh_token!)).status).toBe(401)
    await expectRefusal(await login(app, { ...zoe, password: 'another long password' }), 'invalid_credentials')
    expect(await audit(app, 'user.deleted')).toMatchObject([{ userId: zoe.id, details: '{"by":"owner"}' }])
    await expectNothingLeft(app, zoe, sids)

    await expectRefusal(await register(app, 'mallory@example.com', 'Zebedee'), 'username_taken')
    expect((await register(app, zoe.email, 'another')).status).toBe(201)
    expect(await me(app, bea.grant.access_token)).toBe(401)
    expect(await app.rows.users.count({ id: bea.id })).toBe(1)
  })

  test('13.6 needs no body after a login, over DELETE and POST, and refuses a malformed one', async () => {
    const served = serve(app)
    try {
      const ask = (method: string, path: string, { grant }: SignedUp, init: RequestInit = {}) =>
        fetch(`${served.url}${path}`, {
          method,
          ...init,
          headers: { authorization: `Bearer ${grant.access_token}`, ...init.headers },
        })
      const ada = await app.signUp('ada')
      const json = { 'content-type': 'application/json' }
      expect((await ask('DELETE', '/users/me', ada, { body: '{', headers: json })).status).toBe(400)
      expect((await ask('DELETE', '/users/me', ada, { body: '{"password":1}', headers: json })).status).toBe(422)
      expect((await ask('DELETE', '/users/me', ada, { body: 'password=x' })).status).toBe(415)
      expect((await ask('DELETE', '/users/me', ada)).status).toBe(204)
      expect((await ask('POST', '/users/me/delete', await app.signUp('bea'))).status).toBe(204)
      expect((await ask('POST', '/users/me/delete', await app.signUp('cyd'), { headers: json })).status).toBe(204)
      const dan = await app.signUp('dan')
      const body = JSON.stringify({ password: dan.password })
      expect((await ask('DELETE', '/users/me', dan, { body, headers: json })).status).toBe(204)
      expect(await app.rows.users.count()).toBe(0)
    } finally {
      served.stop()
    }
  })

  test('13.6 is refused to the last administrator, also to two administrators at once', async () => {
    for (let round = 0; round < 4; round++) {
      const pair = [await app.signUp(`a${round}x`), await app.signUp(`b${round}x`)]
      for (const { id } of pair) await app.admin.giveRole(id, 'admin')
      const answers = await Promise.all(pair.map((admin) => remove(app, admin)))
      expect(answers.map(({ status }) => status).sort()).toEqual([204, 409])
      const last = pair[answers.findIndex(({ status }) => status === 409)]!
      await expectRefusal(await remove(app, last), 'last_admin')
      expect(await me(app, last.grant.access_token)).toBe(200)
      await app.rows.users.remove({ id: last.id })
    }
  })

  test('13.6 works once when it is sent many times at once', async () => {
    const ada = await app.signUp('ada')
    const answers = await Promise.all(Array.from({ length: 8 }, () => remove(app, ada)))
    expect(answers.map(({ status }) => status).sort()).toEqual([204, ...Array(7).fill(401)])
    expect(await audit(app, 'user.deleted')).toHaveLength(1)
  })

  test('13.6 leaves nothing behind of logins, refreshes and password changes at the same moment', async () => {
    for (let round = 0; round < 6; round++) {
      const ada = await app.signUp(`zelda${round}`)
      const sids = [sessionIdOf(ada.grant as never)]
      const others = Array.from({ length: 4 }, () => login(app, ada))
      const answers = await Promise.all([
        ...others.slice(0, 2),
        refresh(app, ada.grant.refresh_token!),
        remove(app, ada),
        refresh(app, ada.grant.refresh_token!),
        ...others.slice(2),
        app.request('PUT', '/users/me/password', {
          token: ada.grant.access_token,
          json: { current_password: ada.password, new_password: 'another long password' },
        }),
      ])
      const deleted = answers[3]!
      // The password change may have ended the sessions first: then the deletion is refused, and works when repeated.
      if (deleted.status === 401) {
        await app.admin.deleteUser(ada.id)
      } else expect(deleted.status).toBe(204)
      for (const answer of answers) {
        const pair = answer.status === 200 ? ((await answer.json()) as never) : undefined
        if (pair) sids.push(sessionIdOf(pair))
        if (pair) expect(await me(app, (pair as { access_token: string }).access_token)).toBe(401)
      }
      await expectNothingLeft(app, ada, sids)
    }
  })

  test('13.6 is refused when the sessions of the account were ended while the password was checked', async () => {
    const ada = await app.signUp('ada')
    passwords.change((real) => ({
      async verify(...given) {
        passwords.restore()
        await app.admin.setPassword(ada.id, 'set by the admin')
        return real.verify(...given)
      },
    }))
    await expectRefusal(await remove(app, ada, { json: { password: ada.password } }), 'invalid_token')
    expect(await app.rows.users.count({ id: ada.id })).toBe(1)
  })
})
