import { beforeEach, expect, test } from 'bun:test'
import { join } from 'node:path'
import { createTestApp, type SignedUp, type TestApp } from '../support/app.ts'
import { describeEachDialect } from '../support/dialects.ts'
import { appPerTest } from '../support/hooks.ts'
import { expectRefusal } from '../support/refusal.ts'

const password = 'correct horse battery'

describeEachDialect('the state of an account in the database', (dialect) => {
  const app = appPerTest({ dialect })
  let ada: SignedUp
  let bea: SignedUp
  beforeEach(async () => {
    ada = await app.signUp('ada', password)
    bea = await app.signUp('bea', password)
    // The first use puts the token into the cache of verified tokens.
    for (const path of ['/users/me', '/user/user']) expect((await get(path, ada)).status).toBe(200)
  })

  const get = (path: string, { grant }: SignedUp) => app.request('GET', path, { token: grant.access_token })
  const login = () => app.request('POST', '/token', { form: { username: 'ada', password } })
  const change = (values: { isActive?: boolean; sessionEpoch?: number }) => {
    return app.rows.users.change({ id: ada.id }, values)
  }
  const expectBeaAccepted = async () => expect((await get('/users/me', bea)).status).toBe(200)

  test('E13: raising session_epoch ends its sessions at once; a new login works', async () => {
    await change({ sessionEpoch: 1 })
    for (const path of ['/users/me', '/user/user']) await expectRefusal(await get(path, ada), 'invalid_token')
    const grant = (await (await login()).json()) as SignedUp['grant']
    expect((await get('/users/me', { ...ada, grant })).status).toBe(200)
    await expectBeaAccepted()
  })

  test('E6, E13: is_active = false refuses its tokens at once, and its logins with the usual 401', async () => {
    const unknown = await app.request('POST', '/token', { form: { username: 'nobody', password } })
    await change({ isActive: false })
    for (const path of ['/users/me', '/user/user']) await expectRefusal(await get(path, ada), 'invalid_token')
    const refused = await login()
    expect(await expectRefusal(refused, 'invalid_credentials')).toEqual(
      await expectRefusal(unknown, 'invalid_credentials'),
    )
    await expectBeaAccepted()
  })

  test('E13: a session that has ended is refused at once, another of the same account is not', async () => {
    const other = (await (await login()).json()) as SignedUp['grant']
    const [, payload = ''] = ada.grant.access_token.split('.')
    const { sid } = JSON.parse(Buffer.from(payload, 'base64url').toString()) as { sid: string }
    await app.rows.sessions.change({ id: sid }, { endedAt: app.clock.now() })
    await expectRefusal(await get('/users/me', ada), 'invalid_token')
    expect((await get('/users/me', { ...ada, grant: other })).status).toBe(200)
  })

  test('E6, E13: a deleted user is 401 at /users/me and 404 user_not_found at /user/user', async () => {
    await app.rows.users.remove({ id: ada.id })
    await expectRefusal(await get('/users/me', ada), 'invalid_token')
    const problem = await expectRefusal(await get('/user/user', ada), 'user_not_found')
    expect(problem.detail).toBe('User not found')
    await expectRefusal(await login(), 'invalid_credentials')
    await expectBeaAccepted()
  })

  test('the names in the database are shown, not those in the token', async () => {
    await app.rows.users.change({ id: ada.id }, { username: 'Renamed', usernameKey: 'renamed' })
    expect(await (await get('/users/me', ada)).json()).toMatchObject({ id: ada.id, username: 'Renamed' })
  })
})

describeEachDialect('two servers on one database', (dialect) => {
  test('accept each other’s tokens and see each other’s changes', async () => {
    const one = await createTestApp({ dialect })
    const two = await createTestApp({ dialect, databaseUrl: one.databaseUrl, clock: one.clock, seed: 'two' })
    const ada = await one.signUp('ada', password)
    const bea = await two.signUp('bea', password)
    const get = (app: TestApp, { grant }: SignedUp) => app.request('GET', '/users/me', { token: grant.access_token })
    expect(bea.id).not.toBe(ada.id)
    for (const app of [one, two]) for (const who of [ada, bea]) expect((await get(app, who)).status).toBe(200)
    const taken = { email: 'x@example.com', username: 'ADA', password }
    await expectRefusal(await two.request('POST', '/register', { json: taken }), 'username_taken')
    await two.rows.users.change({ id: ada.id }, { isActive: false })
    await expectRefusal(await get(one, ada), 'invalid_token')
    await two.close()
    await one.close()
  })

  test('accept each other’s tokens after a simultaneous first start', async () => {
    const database = await dialect.databaseUrl()
    const script = join(import.meta.dir, 'first-start.ts')
    const tokens = await Promise.all(
      ['ada', 'bea', 'cyd'].map(async (name) => {
        const process = Bun.spawn([Bun.argv[0]!, script, database.url, name], { stderr: 'inherit' })
        return process.stdout.text()
      }),
    )
    const app = await createTestApp({ dialect, databaseUrl: database.url })
    for (const token of tokens) expect((await app.request('GET', '/users/me', { token })).status).toBe(200)
    // The first part is the header: the same key signed all tokens.
    expect(new Set(tokens.map((token) => token.split('.')[0])).size).toBe(1)
    await app.close()
    await database.dispose()
  })

  test('register a name only once when both are asked at the same moment', async () => {
    const one = await createTestApp({ dialect, env: { RATE_LIMIT: 'off' } })
    const two = await createTestApp({ dialect, databaseUrl: one.databaseUrl, env: { RATE_LIMIT: 'off' } })
    const answers = await Promise.all(
      Array.from({ length: 12 }, (_, i) =>
        (i % 2 ? one : two).request('POST', '/register', {
          json: { email: `ada${i}@example.com`, username: 'ada', password },
        }),
      ),
    )
    expect(answers.map(({ status }) => status).sort()).toEqual([201, ...Array(11).fill(409)])
    await two.close()
    await one.close()
  })
})
