import { expect, test } from 'bun:test'
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { createAccount } from '../../src/features/accounts/manage.ts'
import { createApiKey } from '../../src/features/api-keys/api-key.ts'
import { loggedIn, refreshed } from '../sessions/support.ts'
import { createTestApp, type TestApp, testSecret } from '../support/app.ts'
import { describeEachDialect, sqliteFile } from '../support/dialects.ts'

describeEachDialect('secrets at rest', (dialect) => {
  test('P1, P3: nothing that was handed out or typed stands in the database, its log or the process’s', async () => {
    const jwtSecret = 'only-for-tests-too-1f0c9e5a3d4826-77aa'
    const app = await createTestApp({
      dialect,
      env: { JWT_ALG: 'HS256', JWT_SECRET: jwtSecret, METRICS_TOKEN: 'm'.repeat(20) },
    })
    const secrets = [...(await story(app)), testSecret, jwtSecret]
    const stored = `${await everyRow(app)}${dialect.name === 'sqlite' ? everyFile(app.databaseUrl) : ''}`
    const log = app.logs.join('')
    // The yardstick: what does belong there is found.
    expect(stored).toContain('ada@example.com')
    expect(log).toContain('"event":"request"')
    for (const secret of secrets)
      for (const text of spellings(secret)) {
        expect([text, stored.includes(text)]).toEqual([text, false])
        expect([text, log.includes(text)]).toEqual([text, false])
      }
    await app.close()
  })
})

test.each(['json', 'text'])('P4: nothing that is sent forges a line of the log as %s', async (format) => {
  const app = await createTestApp({ env: { LOG_FORMAT: format } })
  const forged = 'x\r\n{"time":"now","level":"info","event":"forged"}\u2028\u001b[2J'
  const inHeader = forged.replace(/[^\x20-\x7e]/g, '')
  app.logs.length = 0
  await app.request('GET', `/${encodeURIComponent(forged)}`)
  await app.request('GET', `/users/me?${encodeURIComponent(forged)}`, {
    headers: { 'x-request-id': inHeader, 'user-agent': inHeader },
  })
  const headers = { 'x-forwarded-for': inHeader }
  await app.request('POST', '/token', { form: { username: forged, password: forged }, headers })
  await app.request('POST', '/register', { json: { email: forged, username: forged, password: forged } })
  const text = app.logs.join('')
  expect(text).not.toContain('forged')
  expect(text).not.toContain('\u001b')
  // Four requests, and the warning that a proxy's header is ignored.
  expect(text.split('\n')).toHaveLength(5 + 1)
  await app.close()
})

/** Everything one can be given; answers all that was secret in it. */
async function story(app: TestApp): Promise<string[]> {
  const first = 'the first of two passwords'
  const second = 'the second of two passwords'
  const ada = await app.signUp('ada', first)
  const secrets = [first, second, ...secretsOf(ada.grant)]
  const pair = await loggedIn(app, ada, { device_token: ada.grant.device_token! })
  secrets.push(...secretsOf(pair))
  const next = await refreshed(app, pair.refresh_token)
  secrets.push(...secretsOf(next))
  const json = { current_password: first, new_password: second }
  expect((await app.request('PUT', '/users/me/password', { json, token: next.access_token })).status).toBe(204)
  const boss = await createAccount(app.deps, {
    email: 'boss@example.com',
    username: 'boss',
    password: first,
    admin: true,
  })
  const { text } = await createApiKey(app.deps, { owner: boss, name: 'k', scopes: ['tokens:introspect'] })
  secrets.push(text)
  const introspection = { token: text, form: { token: next.refresh_token } }
  expect((await app.request('POST', '/introspect', introspection)).status).toBe(200)
  // What fails is stored no more than what succeeds.
  await app.request('POST', '/token', { form: { username: 'ada', password: 'a password that is wrong' } })
  await app.request('POST', '/token', { form: { username: 'a password as a name', password: 'x' } })
  await app.request('POST', '/token/refresh', { json: { refresh_token: pair.refresh_token } })
  await app.request('GET', '/users/me', { token: 'a-token.that-is.no-token' })
  await app.request('POST', '/logout', { token: next.access_token })
  return [...secrets, 'a password that is wrong', 'a password as a name', 'a-token.that-is.no-token']
}

/** The tokens of an answer, and the part of each that makes it one. */
const secretsOf = (grant: object): string[] =>
  Object.entries(grant)
    .filter(([name]) => /^(access|refresh|device)_token$/.test(name))
    .flatMap(([, token]) => [token as string, (token as string).slice(-24)])

/** As it is, and as other code might have written it down. */
const spellings = (secret: string): string[] => [
  secret,
  ...['base64', 'base64url', 'hex'].map((encoding) => Buffer.from(secret).toString(encoding as 'hex')),
]

async function everyRow({ deps: { store } }: TestApp): Promise<string> {
  const rows = Object.values(store.t).map((table) => store.q.select().from(table as typeof store.t.users))
  return JSON.stringify(await Promise.all(rows))
}

/** The database, its write-ahead log and whatever else lies beside them. */
function everyFile(databaseUrl: string): string {
  const folder = dirname(sqliteFile(databaseUrl))
  return readdirSync(folder)
    .map((name) => readFileSync(join(folder, name), 'latin1'))
    .join('\n')
}
