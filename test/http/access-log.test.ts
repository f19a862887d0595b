import { expect, test } from 'bun:test'
import { appsPerTest } from '../support/hooks.ts'

const apps = appsPerTest()

const entries = (logs: string[]) => logs.map((line) => JSON.parse(line) as Record<string, unknown>)
const requests = (logs: string[]) => entries(logs).filter(({ event }) => event === 'request')

test('a request is logged as one line: id, method, route, status, duration and user, in this order', async () => {
  const app = await apps.open()
  const { id, grant } = await app.signUp()
  app.logs.length = 0
  await app.request('GET', '/users/me?token=kept-out', {
    token: grant.access_token,
    headers: { 'x-request-id': 'trace-7' },
  })
  expect(app.logs).toEqual([
    `{"time":"2026-01-01T00:00:00.000Z","level":"info","event":"request","request_id":"trace-7","method":"GET","route":"/users/me","status":200,"ms":0,"user_id":${id}}\n`,
  ])
})

test('a registration, login or refresh is logged with the user, a failed login without', async () => {
  const app = await apps.open()
  const { id, grant, username, email, password } = await app.signUp()
  const renewed = await app.request('POST', '/token/refresh', { json: { refresh_token: grant.refresh_token } })
  const { refresh_token } = (await renewed.json()) as { refresh_token: string }
  await app.request('POST', '/token', { form: { grant_type: 'refresh_token', refresh_token } })
  await app.request('POST', '/user/token', { json: { username, password } })
  await app.request('POST', '/token', { form: { username, password: 'a wrong guess' } })
  await app.request('POST', '/token/refresh', { json: { refresh_token: `${refresh_token}x` } })
  await app.request('POST', '/register', { json: { email, username: 'other', password } })
  expect(requests(app.logs).map(({ route, status, user_id }) => [route, status, user_id])).toEqual([
    ['/register', 201, id],
    ['/token', 200, id],
    ['/token/refresh', 200, id],
    ['/token', 200, id],
    ['/user/token', 200, id],
    ['/token', 401, undefined],
    ['/token/refresh', 401, undefined],
    ['/register', 409, undefined],
  ])
})

test('HEAD is logged as the GET that it stands for', async () => {
  const app = await apps.open()
  const { id, grant } = await app.signUp()
  app.logs.length = 0
  await app.request('HEAD', '/users/me', { token: grant.access_token })
  await app.request('HEAD', '/users/me')
  expect(
    requests(app.logs).map(({ method, route, status, code, user_id }) => [method, route, status, code, user_id]),
  ).toEqual([
    ['HEAD', '/users/me', 200, undefined, id],
    ['HEAD', '/users/me', 401, 'not_authenticated', undefined],
  ])
})

test('a refusal is logged with its code, and an unknown path is not logged', async () => {
  const app = await apps.open()
  await app.request('GET', '/users/me')
  await app.request('POST', '/token', { form: { username: 'ada', password: 'x' } })
  await app.request('GET', '/reset/kept-out-7c1f')
  expect(requests(app.logs).map(({ route, status, code }) => [route, status, code])).toEqual([
    ['/users/me', 401, 'not_authenticated'],
    ['/token', 401, 'invalid_credentials'],
    ['unmatched', 404, 'not_found'],
  ])
  expect(app.logs.join('')).not.toContain('kept-out')
})

test('log and metrics have the code that the client got', async () => {
  const METRICS_TOKEN = 'scrape-only-9f2m4x8q'
  const app = await apps.open({ env: { METRICS_TOKEN } })
  const answers = [
    await app.request('POST', '/token', { form: { username: 'ada' } }),
    await app.request('POST', '/register', { json: { email: 'ada@example.com' } }),
  ]
  const codes = await Promise.all(answers.map(async (answer) => ((await answer.json()) as { code: string }).code))
  expect(codes).toEqual(['invalid_request', 'validation_failed'])
  expect(requests(app.logs).map(({ code }) => code)).toEqual(codes)
  const metrics = await (await app.request('GET', '/metrics', { token: METRICS_TOKEN })).text()
  for (const code of codes) expect(metrics).toContain(`keyward_refusals_total{code="${code}"} 1\n`)
})

test('P3: no line contains a token, a password, an address or a query, whatever fails', async () => {
  const app = await apps.open({ env: { TRUSTED_PROXIES: '192.0.2.1' } })
  const { id, grant, password } = await app.signUp()
  const headers = { 'x-forwarded-for': '203.0.113.77' }
  const { access_token: token } = grant
  await app.request('GET', '/users/me?password=in-the-query', { token, headers })
  await app.request('GET', '/users/me', { token: `${token}x`, headers })
  await app.request('POST', '/register', { json: { email: 'not an address', username: '!', password }, headers })
  await app.request('POST', '/register', { body: `{"password":"${password}`, type: 'application/json', headers })
  await app.request('POST', '/token', { form: `username=ada&password=${password}&password=${password}`, headers })
  await app.admin.giveRole(id, 'admin')
  const key = await app.admin.createApiKey({ owner: id, scopes: ['tokens:introspect'] })
  const asId = [token, grant.refresh_token!, grant.device_token!, key.text, '203.0.113.77']
  for (const supplied of asId)
    await app.request('GET', '/users/me', { token, headers: { ...headers, 'x-request-id': supplied } })
  await app.process.closeDatabase()
  await app.request('POST', '/token', { form: { username: 'ada', password }, headers })
  await app.request('GET', '/users/me', { token, headers })
  const text = app.logs.join('')
  for (const secret of [...asId, token.split('.')[2]!, password, 'in-the-query', 'ada@example.com'])
    expect(text).not.toContain(secret)
  expect(requests(app.logs).length).toBe(14)
})

test('LOG_LEVEL omits lines of lower levels', async () => {
  const app = await apps.open({ env: { LOG_LEVEL: 'warn' } })
  await app.request('GET', '/users/me')
  expect(app.logs).toEqual([])
})

test('LOG_FORMAT=text writes a readable line', async () => {
  const app = await apps.open({ env: { LOG_FORMAT: 'text' } })
  app.logs.length = 0
  await app.request('GET', '/users/me', { headers: { 'x-request-id': 'trace-7' } })
  expect(app.logs).toEqual([
    '00:00:00.000 INFO  request request_id=trace-7 method=GET route=/users/me status=401 code=not_authenticated ms=0\n',
  ])
})

test('X-Forwarded-For without TRUSTED_PROXIES is warned about once', async () => {
  const app = await apps.open()
  const login = () =>
    app.request('POST', '/token', {
      form: { username: 'ada', password: 'x' },
      headers: { 'x-forwarded-for': '203.0.113.77' },
    })
  await login()
  await login()
  const warnings = entries(app.logs).filter(({ event }) => event === 'forwarded_for_ignored')
  expect(warnings.map(({ level }) => level)).toEqual(['warn'])

  const trusting = await apps.open({ env: { TRUSTED_PROXIES: '192.0.2.1' } })
  await trusting.request('POST', '/token', {
    form: { username: 'ada', password: 'x' },
    headers: { 'x-forwarded-for': '203.0.113.77' },
  })
  expect(trusting.logs.join('')).not.toContain('forwarded_for_ignored')
})
