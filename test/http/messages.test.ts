import { describe, expect, test } from 'bun:test'
import { appPerSuite } from '../support/hooks.ts'
import { expectRefusal } from '../support/refusal.ts'

const app = appPerSuite({ env: { RATE_LIMIT: 'on' } })

describe('12.D2 a refusal says the way out:', () => {
  test('415 names the media types that the route takes', async () => {
    const plain = { body: 'username=ada', headers: { 'content-type': 'text/plain' } }
    const register = await expectRefusal(await app.request('POST', '/register', plain), 'unsupported_media_type')
    expect(register.detail).toBe('Send the body as application/json')
    const token = await expectRefusal(await app.request('POST', '/token', plain), 'unsupported_media_type')
    expect(token.detail).toContain('application/x-www-form-urlencoded or application/json')
  })

  test('429 says in how many seconds the next attempt is possible, as Retry-After does', async () => {
    const attempt = () =>
      app.request('POST', '/token', { form: { username: 'nobody', password: 'wrong horse battery' } })
    let response = await attempt()
    while (response.status === 401) response = await attempt()
    const { detail } = await expectRefusal(response, 'rate_limited')
    expect(detail).toBe(`Too many attempts, try again in ${response.headers.get('retry-after')} seconds`)
  })

  test.each([
    ['/register', { json: {} }, ['email', 'username', 'password']],
    ['/token', { form: { grant_type: 'password' } }, ['username', 'password']],
    ['/user/token', { json: { grant_type: 'refresh_token' } }, ['refresh_token']],
    ['/token/refresh', { json: {} }, ['refresh_token']],
    ['/revoke', { form: {} }, ['token']],
  ])('a missing field of %s is called missing', async (path, options, fields) => {
    const { errors } = (await (await app.request('POST', path, options)).json()) as {
      errors: { field: string; message: string }[]
    }
    expect(errors.map(({ field }) => field)).toEqual(fields)
    for (const { message } of errors) expect(message).toStartWith('This field is missing')
  })

  test('a missing username says that it takes the email address too', async () => {
    const json = { email: 'ada@example.com', password: 'correct horse battery' }
    const { errors } = await expectRefusal(await app.request('POST', '/token', { json }), 'invalid_request')
    expect(errors).toEqual([
      { field: 'username', message: 'This field is missing; it takes the username or the email address' },
    ])
  })

  test('a token without its scheme, and another scheme, name the one that is needed', async () => {
    for (const authorization of ['eyJhbGciOiJFUzI1NiJ9.e30.c2ln', 'Token eyJ', 'Basic YTpi']) {
      const response = await app.request('GET', '/users/me', { headers: { authorization } })
      const { detail } = await expectRefusal(response, 'not_authenticated')
      expect(detail).toBe('The Authorization header must begin with "Bearer "')
    }
  })

  test.each(['', ' \n'])('an empty JSON body (%j) is called empty', async (body) => {
    const response = await app.request('POST', '/register', { body, headers: { 'content-type': 'application/json' } })
    expect((await expectRefusal(response, 'invalid_request')).detail).toBe(
      'The request body is empty; send a JSON object',
    )
  })
})
