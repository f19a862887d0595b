import { beforeAll, describe, expect, test } from 'bun:test'
import type { SignedUp } from '../support/app.ts'
import { appPerSuite } from '../support/hooks.ts'
import { expectCommonHeaders, expectRefusal } from '../support/refusal.ts'

const app = appPerSuite()
let ada: SignedUp

beforeAll(async () => {
  ada = await app.signUp()
})

const problemOf = async (response: Response) => (await response.json()) as Record<string, unknown>
const me = (headers: Record<string, string> = {}) => app.request('GET', '/users/me', { headers })

describe('errors', () => {
  test('are RFC 9457 problem details with a stable code and a sentence', async () => {
    const response = await app.request('POST', '/register', {
      json: { email: 'ada@example.com', username: 'other', password: 'correct horse battery' },
    })
    await expectRefusal(response, 'email_taken')
    expect(await problemOf(response)).toEqual({
      type: 'about:blank',
      title: 'Conflict',
      status: 409,
      detail: 'Email already registered',
      code: 'email_taken',
    })
  })

  test('of validation are 422 and name every invalid field once', async () => {
    const response = await app.request('POST', '/register', { json: { email: 'x', username: 'y' } })
    const { errors, detail } = await expectRefusal(response, 'validation_failed')
    expect(errors?.map(({ field }) => field)).toEqual(['password'])
    expect(detail).toBe('The request has invalid fields')
    const all = await app.request('POST', '/register', { json: { email: 'x', username: 'y', password: 'z' } })
    const fields = (await expectRefusal(all, 'validation_failed')).errors
    expect(fields?.map(({ field }) => field)).toEqual(['email', 'username', 'password'])
    for (const { message } of fields ?? []) expect(message).toMatch(/^[A-Z].{10,}/)
  })

  test('of OAuth routes add error and error_description, and are 400 for a malformed request', async () => {
    for (const path of ['/token', '/user/token']) {
      const response = await app.request('POST', path, { form: { username: 'ada' } })
      const problem = await expectRefusal(response, 'invalid_request')
      expect(problem).toMatchObject({ error: 'invalid_request', errors: [{ field: 'password' }] })
      expect(problem.error_description).toBe(problem.detail)
    }
  })

  test('of other routes have neither', async () => {
    const problem = await expectRefusal(await app.request('POST', '/register', { json: {} }), 'validation_failed')
    expect(problem).not.toHaveProperty('error')
    expect(problem).not.toHaveProperty('error_description')
  })
})

describe('401', () => {
  test('12.B7 carries WWW-Authenticate: Bearer with a realm', async () => {
    const without: Record<string, string>[] = [
      {},
      { authorization: 'Basic YTpi' },
      { authorization: 'Bearerx' },
      { authorization: '' },
    ]
    for (const headers of without) {
      const response = await me(headers)
      await expectRefusal(response, 'not_authenticated')
      expect(response.headers.get('www-authenticate')).toBe('Bearer realm="keyward"')
    }
  })

  test('has an error in its challenge if a bad token was sent', async () => {
    for (const token of ['x', 'a.b.c', `${ada.grant.access_token}x`, `${ada.grant.access_token},x`, '""', 'a b']) {
      const response = await me({ authorization: `Bearer ${token}` })
      await expectRefusal(response, 'invalid_token')
      expect(response.headers.get('www-authenticate')).toBe('Bearer realm="keyward", error="invalid_token"')
    }
  })
})

describe('a token', () => {
  const token = () => ada.grant.access_token

  test('is read from the Authorization header; the scheme may have any case', async () => {
    for (const scheme of ['Bearer', 'bearer', 'BEARER', 'bEaReR'])
      expect((await me({ authorization: `${scheme} ${token()}` })).status).toBe(200)
    expect((await me({ authorization: `Bearer   ${token()}` })).status).toBe(200)
  })

  test('A11, E11: is read from nowhere else', async () => {
    const elsewhere = [
      app.request('GET', `/users/me?access_token=${token()}`),
      app.request('GET', `/users/me?token=${token()}&authorization=Bearer%20${token()}`),
      me({ cookie: `access_token=${token()}; token=${token()}; Authorization=Bearer ${token()}` }),
      me({ 'x-access-token': token(), 'proxy-authorization': `Bearer ${token()}`, 'x-api-key': token() }),
      me({ authorization: `Bearer${token()}` }),
      me({ authorization: `Bearer\t${token()}` }),
      me({ authorization: `Token ${token()}` }),
      me({ authorization: token() }),
    ]
    for (const response of await Promise.all(elsewhere)) await expectRefusal(response, 'not_authenticated')
  })

  test('I1, I2: is never a cookie: none is read or set', async () => {
    const login = await app.request('POST', '/token', {
      form: { username: 'ada', password: ada.password },
      headers: { cookie: 'a=%; b="; __proto__=1; c' },
    })
    expect(login.status).toBe(200)
    expect(login.headers.has('set-cookie')).toBe(false)
  })
})

describe('the order of checks', () => {
  test('a wrong body gets 415 before 413 before 400 before 422', async () => {
    const big = 'x'.repeat(65_537)
    const post = (body: string, type: string) => app.request('POST', '/register', { body, type })
    await expectRefusal(await post(big, 'text/plain'), 'unsupported_media_type')
    await expectRefusal(await post(big, 'application/json'), 'payload_too_large')
    await expectRefusal(await post('{"email":1', 'application/json'), 'invalid_request')
    await expectRefusal(await post('{"email":1}', 'application/json'), 'validation_failed')
  })
})

describe('paths and methods', () => {
  test('an unknown path is 404 for every method, also OPTIONS', async () => {
    for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])
      for (const path of [
        '/nope',
        '/nope/',
        '/token//',
        '//token',
        '/TOKEN',
        '/%74oken',
        '/token%20',
        '/toke',
        '/tokens',
      ])
        await expectRefusal(await app.request(method, path), 'not_found')
    expect((await app.request('HEAD', '/nope')).status).toBe(404)
  })

  test('a query does not change the route', async () => {
    for (const query of ['?', '?a', '?a=%', '?a[]=1&a[]=2', '?__proto__=1', '?/users/me', '?://users/me'])
      await expectRefusal(await app.request('POST', `/token${query}`), 'unsupported_media_type')
  })

  test('a known path with another method is 405 with Allow', async () => {
    for (const method of ['GET', 'PUT', 'PATCH', 'DELETE', 'PROPFIND']) {
      const response = await app.request(method, '/token')
      await expectRefusal(response, 'method_not_allowed')
      expect(response.headers.get('allow')).toBe('OPTIONS, POST')
    }
  })

  test('OPTIONS on a known path is 204 with Allow', async () => {
    for (const [path, allow] of [
      ['/token', 'OPTIONS, POST'],
      ['/user/user', 'GET, HEAD, OPTIONS'],
    ] as const) {
      const response = await app.request('OPTIONS', path)
      expect([response.status, response.headers.get('allow'), await response.text()]).toEqual([204, allow, ''])
      expectCommonHeaders(response)
    }
  })

  test('HEAD works wherever GET does and nowhere else', async () => {
    const head = await app.request('HEAD', '/users/me', { token: ada.grant.access_token })
    const full = await app.request('GET', '/users/me', { token: ada.grant.access_token })
    expect([head.status, await head.text()]).toEqual([200, ''])
    expect(head.headers.get('content-length')).toBe(String((await full.text()).length))
    expect(head.headers.get('content-type')).toBe(full.headers.get('content-type'))
    expect((await app.request('HEAD', '/users/me')).status).toBe(401)
    const refused = await app.request('HEAD', '/token')
    expect([refused.status, refused.headers.get('allow')]).toEqual([405, 'OPTIONS, POST'])
  })
})

describe('every answer', () => {
  const answers = () =>
    Promise.all([
      app.request('GET', '/users/me', { token: ada.grant.access_token }),
      app.request('POST', '/token', { form: { username: 'ada', password: ada.password } }),
      app.request('POST', '/token', { form: { username: 'ada', password: 'wrong' } }),
      app.request('GET', '/nope'),
      app.request('DELETE', '/token'),
      app.request('OPTIONS', '/token'),
      app.request('HEAD', '/users/me'),
      app.request('POST', '/register', { body: 'x', type: 'text/html' }),
    ])

  test('J2: has X-Request-Id, nosniff and no-referrer', async () => {
    for (const response of await answers()) expectCommonHeaders(response)
  })

  test('E12: with a token or personal data is not cached', async () => {
    for (const response of await answers()) expect(response.headers.get('cache-control')).toBe('no-store')
  })

  test('has the request id of the client if it is plain, and so has the log', async () => {
    expect((await me({ 'x-request-id': 'Caller-1.2_3' })).headers.get('x-request-id')).toBe('Caller-1.2_3')
    expect(app.logs.at(-1)).toContain('"request_id":"Caller-1.2_3"')
    for (const insane of ['a b', 'x'.repeat(129), '<script>', 'a, b', '{}', 'é'.repeat(3), '../x', 'a"b']) {
      const id = (await me({ 'x-request-id': insane })).headers.get('x-request-id')
      expect(id).toMatch(/^[A-Za-z0-9._-]{14,128}$/)
      expect(app.logs.at(-1)).toContain(`"request_id":"${id}"`)
      expect(app.logs.at(-1)).not.toContain(insane)
    }
  })

  test('is logged as one line, without path, query or address', async () => {
    const before = app.logs.length
    await app.request('GET', '/users/me?secret=zq7', { token: ada.grant.access_token })
    await app.request('GET', '/nope/zq7')
    const lines = app.logs.slice(before).map((line) => JSON.parse(line) as Record<string, unknown>)
    expect(lines).toMatchObject([
      { event: 'request', method: 'GET', route: '/users/me', status: 200, user_id: ada.id },
      { event: 'request', method: 'GET', status: 404 },
    ])
    expect(JSON.stringify(lines)).not.toContain('zq7')
  })
})

describe('a route answers only declared members', () => {
  test('A10: no answer contains a password hash', async () => {
    const response = await app.request('GET', '/users/me', { token: ada.grant.access_token })
    expect(Object.keys(await problemOf(response)).sort()).toEqual([
      'created_at',
      'email',
      'email_verified',
      'id',
      'is_active',
      'locale',
      'name',
      'roles',
      'username',
    ])
  })
})
