import { beforeAll, describe, expect, test } from 'bun:test'
import { createTestApp, type RequestOptions } from '../support/app.ts'
import { describeEachDialect } from '../support/dialects.ts'
import { appPerSuite } from '../support/hooks.ts'
import { expectRefusal } from '../support/refusal.ts'

const password = 'correct horse battery'

describeEachDialect('login', (dialect) => {
  const app = appPerSuite({ dialect, env: { RATE_LIMIT: 'off' } })
  beforeAll(async () => {
    await app.signUp('ada', password)
  })

  describe.each(['/token', '/user/token'])('%s', (path) => {
    const post = (options: RequestOptions) => app.request('POST', path, options)
    const form = (fields: Record<string, string>, headers: Record<string, string> = {}) =>
      post({ form: fields, headers })
    const known = { username: 'ada', password }

    test('answers a bearer token valid for thirty minutes, to a form and to JSON', async () => {
      for (const options of [{ form: known }, { json: known }]) {
        const response = await post(options)
        expect(response.status).toBe(200)
        expect(response.headers.get('cache-control')).toBe('no-store')
        const grant = (await response.json()) as Record<string, unknown>
        expect(grant).toMatchObject({ token_type: 'bearer', expires_in: 1800 })
        const me = await app.request('GET', '/users/me', { token: grant.access_token as string })
        expect([me.status, ((await me.json()) as { username: string }).username]).toEqual([200, 'ada'])
      }
    })

    test('accepts the username and the email address', async () => {
      for (const username of ['ada', 'ADA', 'ada@example.com', 'Ada@Example.COM'])
        expect((await form({ username, password })).status).toBe(200)
    })

    test('accepts the extra fields of Swagger UI and of FastAPI’s clients', async () => {
      const extra = { grant_type: 'password', scope: '', client_id: '', client_secret: '' }
      expect((await form({ ...known, ...extra })).status).toBe(200)
      expect((await form({ ...known, ...extra, grant_type: '' })).status).toBe(200)
      expect((await form({ ...known, scope: 'openid profile', client_id: 'my-app' })).status).toBe(200)
      expect((await form(known, { authorization: 'Bearer of nothing' })).status).toBe(200)
    })

    test('C2: gives the same answer for a wrong password and an unknown name', async () => {
      const wrong = await expectRefusal(await form({ username: 'ada', password: 'wrong' }), 'invalid_credentials')
      expect(wrong).toEqual({
        type: 'about:blank',
        title: 'Unauthorized',
        status: 401,
        detail: 'Incorrect username or password',
        code: 'invalid_credentials',
        error: 'invalid_grant',
        error_description: 'Incorrect username or password',
      })
      for (const username of [
        'nobody',
        'nobody@example.com',
        'ada@example.org',
        '\u00a0ada',
        'ada\n',
        'ada@',
        '\u0000',
        '1',
      ])
        expect(await expectRefusal(await form({ username, password }), 'invalid_credentials')).toEqual(wrong)
      expect(await expectRefusal(await post({ json: { ...known, password: 'wrong' } }), 'invalid_credentials')).toEqual(
        wrong,
      )
    })

    test.each([
      'Password',
      'PASSWORD',
      ' password',
      'password ',
      'pass',
      'authorization_Code',
      'client-credentials',
      'urn:x',
    ])('K7: compares grant_type exactly: %j is 400 unsupported_grant_type', async (grant_type) => {
      for (const options of [{ form: { ...known, grant_type } }, { json: { ...known, grant_type } }])
        expect(await expectRefusal(await post(options), 'unsupported_grant_type')).toMatchObject({
          status: 400,
          error: 'unsupported_grant_type',
        })
    })

    test('K6: a parameter given twice is 400 invalid_request', async () => {
      for (const twice of ['username=ada', 'password=x', 'grant_type=password', 'scope=', 'whatever=1'])
        expect(
          await expectRefusal(
            await post({ form: `username=ada&password=x&grant_type=password&scope=&whatever=1&${twice}` }),
            'invalid_request',
          ),
        ).toMatchObject({ status: 400, error: 'invalid_request' })
    })

    test('a missing or empty parameter is 400 invalid_request and is named', async () => {
      const problem = await expectRefusal(await form({ username: '', grant_type: 'password' }), 'invalid_request')
      expect(problem).toMatchObject({ status: 400, error: 'invalid_request' })
      expect(problem.errors?.map(({ field }) => field)).toEqual(['username', 'password'])
      expect(problem.error_description).toContain('username')
    })
  })

  test('looks up an identifier with @ as an email address only, even if an older account has that name', async () => {
    const [row] = await app.rows.users.all()
    // An import can create this: a username that is the address of another user.
    await app.rows.users.add({
      ...row!,
      id: 900,
      email: 'eve@x.org',
      emailKey: 'eve@x.org',
      username: 'ada@example.com',
      usernameKey: 'ada@example.com',
    })
    const response = await app.request('POST', '/token', { form: { username: 'ada@example.com', password } })
    const { access_token } = (await response.json()) as { access_token: string }
    const me = await app.request('GET', '/users/me', { token: access_token })
    expect(((await me.json()) as { email: string }).email).toBe('ada@example.com')
    await app.rows.users.remove({ id: 900 })
  })

  test('G3: begins a new session each time', async () => {
    const login = async () =>
      (await (await app.request('POST', '/token', { form: { username: 'ada', password } })).json()) as {
        access_token: string
      }
    const [one, two] = [await login(), await login()]
    expect(one.access_token).not.toBe(two.access_token)
  })
})

describeEachDialect('the profile', (dialect) => {
  test('is the same at /users/me and at /user/user', async () => {
    const app = await createTestApp({ dialect })
    const { id, grant } = await app.signUp('Ada_L', password)
    const get = async (path: string) => (await app.request('GET', path, { token: grant.access_token })).json()
    expect(await get('/users/me')).toEqual({
      id,
      email: 'Ada_L@example.com',
      username: 'Ada_L',
      name: null,
      locale: null,
      is_active: true,
      email_verified: false,
      roles: ['user'],
      created_at: '2026-01-01T00:00:00.000Z',
    })
    expect(await get('/user/user')).toEqual({ username: 'Ada_L', email: 'Ada_L@example.com', id })
    await app.close()
  })
})
