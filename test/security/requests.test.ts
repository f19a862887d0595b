import { beforeAll, expect, test } from 'bun:test'
import { readDocument } from '../fuzz/document.ts'
import type { RequestOptions, SignedUp } from '../support/app.ts'
import { describeEachDialect } from '../support/dialects.ts'
import { appPerSuite } from '../support/hooks.ts'
import { expectRefusal } from '../support/refusal.ts'

describeEachDialect('hostile requests', (dialect) => {
  const app = appPerSuite({ dialect, env: { PUBLIC_URL: 'https://auth.keyward.test' } })
  let ada: SignedUp
  beforeAll(async () => {
    ada = await app.signUp()
  })

  const login = async () => {
    const { username, password } = ada
    const answer = await app.request('POST', '/token', { form: { username, password } })
    return ((await answer.json()) as SignedUp['grant']).access_token
  }

  test('I4: a GET writes nothing, and no header or field turns it into another method', async () => {
    const token = await login()
    const overrides = ['x-http-method-override', 'x-http-method', 'x-method-override', 'x-original-method']
    for (const name of overrides) {
      const headers = { [name]: 'DELETE' }
      const listed = await app.request('GET', '/users/me/sessions?_method=DELETE', { token, headers })
      expect(listed.status).toBe(200)
      const posted = await app.request('POST', '/users/me/sessions', { token, headers, form: '_method=DELETE' })
      await expectRefusal(posted, 'method_not_allowed')
    }
    for (const { method, pattern } of app.table.routes)
      if (method !== 'GET' && !app.table.find('GET', pattern))
        for (const reading of ['GET', 'HEAD'])
          expect((await app.request(reading, pattern.replace(/:\w+/g, 'x'), { token })).status).toBe(405)
    expect((await app.request('GET', '/users/me', { token })).status).toBe(200)
  })

  test('I5: the host that a client sends is in no answer', async () => {
    const token = await login()
    const hostile = {
      host: 'evil.test',
      'x-forwarded-host': 'evil.test',
      'x-forwarded-proto': 'evil.test',
      'x-forwarded-prefix': '/evil.test',
      'x-original-url': '/evil.test',
      'x-rewrite-url': '/evil.test',
      forwarded: 'host=evil.test;proto=https',
      origin: 'https://evil.test',
      referer: 'https://evil.test/',
    }
    for (const { method, pattern } of app.table.routes) {
      const path = pattern.replace(/:\w+/g, 'x')
      if (path === '/logout' || method === 'DELETE') continue
      for (const host of ['evil.test', 'evil.test:99', 'localhost'])
        for (const given of [{}, { token }]) {
          const options: RequestOptions = { ...given, headers: hostile, ...(method !== 'GET' && { json: {} }) }
          const request = new Request(`http://${host}${path}`, {
            method,
            headers: { ...hostile, ...('token' in given && { authorization: `Bearer ${token}` }) },
            ...(options.json !== undefined && { body: '{}' }),
          })
          const answer = await app.fetch(request)
          const said = `${await answer.text()}${JSON.stringify([...answer.headers])}`
          expect([path, said.includes('evil')]).toEqual([path, false])
        }
    }
    const metadata = await app.request('GET', '/.well-known/oauth-authorization-server', { headers: hostile })
    expect(await metadata.json()).toMatchObject({ issuer: 'https://auth.keyward.test' })
    const claims = JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString()) as { iss: string }
    expect(claims.iss).toBe('https://auth.keyward.test')
  })

  test('K3: a value of the wrong type in any field of any body is refused and named', async () => {
    const document = readDocument(await (await app.request('GET', '/openapi.json')).text())
    let tried = 0
    const boss = await app.signUp('the-boss')
    await app.admin.giveRole(boss.id, 'admin')
    await app.rows.roles.add({ name: 'helper', description: '', permissions: '', createdAt: 0 })
    await app.admin.addProvider({ name: 'helper', kind: 'github', clientId: 'keyward', clientSecret: 'secret' })
    const { client } = await app.admin.createClient()
    for (const { method, path, bodies } of document.operations) {
      const id = path.startsWith('/admin/clients') ? client.id : String(boss.id)
      const target = path.replace('{id}', id).replace('{name}', 'helper').replace('{fid}', 't1')
      const tokenFor = async () => (path.startsWith('/admin/') ? boss.grant.access_token : tokenOnce())
      const members = bodies.find(({ type }) => type === 'application/json')?.members ?? []
      const good = Object.fromEntries(members.filter((one) => one.required).map(({ name, example }) => [name, example]))
      // An optional member may be null, which means that it was not sent.
      for (const { name, required, example } of members)
        for (const value of [
          ...(required ? [null] : []),
          // No example has the optional `trust_device`, which is a boolean too.
          ...(typeof example === 'boolean' || name === 'trust_device' ? [] : [true]),
          0,
          -1,
          1.5,
          1e308,
          ...(Array.isArray(example) ? [] : [[]]),
          [''],
          {},
          { $ne: '' },
          [[]],
          [null],
        ]) {
          const answer = await app.request(method, target, {
            json: { ...good, [name]: value },
            token: await tokenFor(),
          })
          const problem = (await answer.json()) as { errors?: { field: string }[] }
          expect([path, name, answer.status]).toEqual([path, name, /token|revoke|introspect/.test(path) ? 400 : 422])
          expect(problem.errors?.map(({ field }) => field.split('.')[0])).toContain(name)
          tried++
        }
    }
    expect(tried).toBeGreaterThan(100)
  })

  let once: string | undefined
  const tokenOnce = async () => {
    once ??= await login()
    return once
  }

  test('K9: no text from a request becomes part of a statement', async () => {
    const before = [await app.rows.users.all(), await app.rows.sessions.count()]
    const statements = [
      "' OR '1'='1",
      "' OR 1=1 --",
      "ada' --",
      '"; DROP TABLE users; --',
      "'; UPDATE users SET is_active = 0; --",
      "ada' UNION SELECT password_hash FROM users --",
      "\\'; DROP TABLE users; --",
      '%',
      '_d_',
      'ad%',
      '*',
      '$1',
      '?1',
      ':username',
    ]
    const token = await tokenOnce()
    for (const text of statements) {
      for (const form of [
        { username: text, password: ada.password },
        { username: `${text}@example.com`, password: ada.password },
        { username: 'ada', password: text },
      ])
        await expectRefusal(await app.request('POST', '/token', { form }), 'invalid_credentials')
      const json = { email: `${text}@example.com`, username: `${text}'`, password: 'correct horse battery' }
      await expectRefusal(await app.request('POST', '/register', { json }), 'validation_failed')
      const inPath = encodeURIComponent(text)
      expect((await app.request('DELETE', `/users/me/sessions/${inPath}`, { token })).status).toBe(404)
      for (const path of [`/forward-auth?role=${inPath}`, `/forward-auth?permission=${inPath}`])
        await expectRefusal(await app.request('GET', path, { token }), 'forbidden')
      for (const bearer of [`kw_${text}`, `kwr_${text}`, text])
        expect((await app.request('GET', '/users/me', { headers: { authorization: `Bearer ${bearer}` } })).status).toBe(
          401,
        )
      expect((await app.request('POST', '/revoke', { form: { token: text } })).status).toBe(200)
      expect((await app.request('POST', '/token/refresh', { json: { refresh_token: text } })).status).toBe(401)
    }
    expect(await app.rows.users.all()).toEqual(before[0] as never)
    expect(app.logs.join('')).not.toContain('unhandled_error')
  })
})
