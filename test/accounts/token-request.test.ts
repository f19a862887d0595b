import { beforeAll, describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { openPage } from '../browser/chromium.ts'
import { createTestApp, type RequestOptions } from '../support/app.ts'
import { describeApp, servedPerSuite } from '../support/hooks.ts'
import { hasPrograms } from '../support/programs.ts'
import { expectRefusal } from '../support/refusal.ts'

const password = 'correct horse battery'
const known = { username: 'ada', password }
const type = 'multipart/form-data; boundary=x'

/** A multipart body of fields, whose parts have these headers too. */
const multipart = (fields: [name: string, value: string][], more = '', boundary = 'x') =>
  `${fields
    .map(
      ([name, value]) => `--${boundary}\r\nContent-Disposition: form-data; name="${name}"${more}\r\n\r\n${value}\r\n`,
    )
    .join('')}--${boundary}--\r\n`
const body = multipart(Object.entries(known))

describeApp('a token request as multipart/form-data', {}, (app) => {
  const post = (options: RequestOptions, path = '/token') => app.request('POST', path, { type, ...options })

  test('12.B1 logs in and refreshes, at both paths', async () => {
    await app.signUp()
    for (const path of ['/token', '/user/token']) {
      const granted = await post({ body }, path)
      expect(granted.status).toBe(200)
      const { refresh_token } = (await granted.json()) as { refresh_token: string }
      const refresh = multipart([
        ['grant_type', 'refresh_token'],
        ['refresh_token', refresh_token],
      ])
      expect((await post({ body: refresh }, path)).status).toBe(200)
    }
    // As .NET, Dart and okhttp write it.
    const dotNet = `--x\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Disposition: form-data; name=username\r\n\r\nada\r\n--x\r\ncontent-disposition: form-data; name="password"\r\nContent-Length: 21\r\n\r\n${password}\r\n--x--`
    expect((await post({ body: dotNet })).status).toBe(200)
  })

  test.each([
    ['a file', multipart(Object.entries(known), '; filename="a.txt"')],
    ['a file with an encoded name', multipart(Object.entries(known), "; filename*=UTF-8''a.txt")],
    ['a part of another type', multipart(Object.entries(known), '\r\nContent-Type: application/json')],
    ['a part in another charset', multipart(Object.entries(known), '\r\nContent-Type: text/plain; charset=utf-16')],
    ['an encoded part', multipart(Object.entries(known), '\r\nContent-Transfer-Encoding: base64')],
    ['a header given twice', multipart(Object.entries(known), '\r\nContent-Disposition: form-data; name="a"')],
    ['a folded header', multipart(Object.entries(known), '\r\n b: c')],
    ['a name given twice', multipart([...Object.entries(known), ['username', 'eve']])],
    ['text before the first boundary', `hello\r\n${body}`],
    ['text after the last boundary', `${body}hello`],
    ['a second form behind the first', `${body}${body}`],
    ['no last boundary', body.replace('--x--\r\n', '')],
    ['line feeds alone', body.replaceAll('\r\n', '\n')],
    ['an escaped name', multipart([['user\\"name', 'ada']])],
    ['a part without a name', body.replace('; name="username"', '')],
    ['an attachment', body.replace('form-data', 'attachment')],
    ['65 parts', multipart(Array.from({ length: 65 }, (_, at) => [`a${at}`, '']))],
    ['nothing', ''],
  ])('12.B1 %s is 400 invalid_request', async (_, hostile) => {
    await app.signUp()
    expect(await expectRefusal(await post({ body: hostile }), 'invalid_request')).toMatchObject({
      error: 'invalid_request',
    })
  })

  test.each(['; filename="a.txt"', "; filename*=UTF-8''a.txt"])('12.B1 %s is refused as a file', async (more) => {
    const { detail } = await expectRefusal(await post({ body: multipart([['a', 'b']], more) }), 'invalid_request')
    expect(detail).toBe('The form has a part that is not plain text')
  })

  test('12.B1 a body that is not UTF-8, and a missing or malformed boundary, are 400; over 64 KiB is 413', async () => {
    await app.signUp()
    await expectRefusal(await post({ body: Buffer.from(body.replace('ada', '\xe9'), 'latin1') }), 'invalid_request')
    for (const parameters of [
      '',
      '; boundary=',
      '; boundary=x; boundary=x',
      `; boundary=${'x'.repeat(71)}`,
      '; boundary="x\\"',
    ])
      expect((await post({ body, type: `multipart/form-data${parameters}` })).status).toBeOneOf([400, 415])
    await expectRefusal(await post({ body: multipart([['a', 'x'.repeat(65_536)]]) }), 'payload_too_large')
  })

  test('12.B1 is 415 on every other route', async () => {
    for (const path of ['/register', '/token/refresh', '/revoke'])
      await expectRefusal(await post({ body }, path), 'unsupported_media_type')
  })
})

test('12.B1 a multipart body has one meaning: fields come back as they were written, and random bytes are refused', async () => {
  const app = await createTestApp()
  try {
    const value = fc.string({ unit: fc.constantFrom('\r', '\n', '-', 'x', ':', '"', ' ', 'é', '\0') })
    await fc.assert(
      fc.asyncProperty(value, async (extra) => {
        fc.pre(!`\r\n${extra}\r\n`.includes('\r\n--x'))
        const sent = multipart([
          ['grant_type', 'magic'],
          ['username', extra],
        ])
        await expectRefusal(await app.request('POST', '/token', { body: sent, type }), 'unsupported_grant_type')
      }),
      { numRuns: 200, seed: 1 },
    )
    const piece = fc.constantFrom(
      '--x',
      '--',
      '\r\n',
      'Content-Disposition: form-data; name="username"',
      '\r\n\r\n',
      'ada',
      ':',
      'a: b',
      ';',
    )
    await fc.assert(
      fc.asyncProperty(fc.array(piece, { maxLength: 20 }), async (pieces) => {
        // No user name and password: whatever it means, it is a refusal of the request.
        await expectRefusal(await app.request('POST', '/token', { body: pieces.join(''), type }), 'invalid_request')
      }),
      { numRuns: 500, seed: 2 },
    )
  } finally {
    await app.close()
  }
})

describe('12.B1 a multipart form of a real client', () => {
  const { app, served } = servedPerSuite({ env: { CORS_ORIGINS: 'http://127.0.0.1:1' } })
  beforeAll(async () => {
    await app.signUp()
  })

  test.skipIf(!hasPrograms('curl'))('logs in: curl -F', async () => {
    const form = ['-F', 'username=ada', '-F', `password=${password}`]
    const child = Bun.spawn(['curl', '-s', '-o', '/dev/null', '-w', '%{http_code}', ...form, `${served.url}/token`])
    expect(await child.stdout.text()).toBe('200')
  })

  test('logs in: FormData of fetch', async () => {
    const form = new FormData()
    for (const [name, value] of Object.entries(known)) form.append(name, value)
    expect((await fetch(`${served.url}/token`, { method: 'POST', body: form })).status).toBe(200)
  })

  test.skipIf(!hasPrograms('chromium'))(
    'logs in: FormData of Chromium, but not with a file',
    async () => {
      const { page, close } = await openPage()
      try {
        await page.goto(`${served.url}/livez`)
        const statuses = await page.evaluate(async (fields) => {
          const form = new FormData()
          for (const [name, value] of Object.entries(fields)) form.append(name, value)
          const first = await fetch('/token', { method: 'POST', body: form })
          form.append('extra', new Blob(['x']))
          return [first.status, (await fetch('/token', { method: 'POST', body: form })).status]
        }, known)
        expect(statuses).toEqual([200, 400])
      } finally {
        await close()
      }
    },
    60_000,
  )
})

describeApp('client credentials that name no client', {}, (app) => {
  test('12.B3 are ignored by login, refresh and revocation, in the header as in the body', async () => {
    const { grant } = await app.signUp()
    const client = { client_id: 'app', client_secret: 'secret' }
    let token = grant.refresh_token!
    for (const credentials of ['app:secret', 'app:', ':secret', ':', `ada:${password}`, 'x']) {
      const headers = { authorization: credentials === 'x' ? 'Basic !' : `Basic ${btoa(credentials)}` }
      for (const path of ['/token', '/user/token']) {
        expect((await app.request('POST', path, { headers, form: { ...known, ...client } })).status).toBe(200)
        const form = { ...client, grant_type: 'refresh_token', refresh_token: token }
        const refreshed = await app.request('POST', path, { headers, form })
        expect(refreshed.status).toBe(200)
        token = ((await refreshed.json()) as { refresh_token: string }).refresh_token
      }
      const refreshed = await app.request('POST', '/token/refresh', {
        headers,
        json: { ...client, refresh_token: token },
      })
      token = ((await refreshed.json()) as { refresh_token: string }).refresh_token
      // Other grants would need a client.
      const other = { headers, form: { ...client, grant_type: 'client_credentials' } }
      const refused = await app.request('POST', '/token', other)
      expect([400, 401]).toContain(refused.status)
      expect(await refused.json()).toMatchObject({ error: expect.stringMatching(/^invalid_(?:client|request)$/) })
    }
    const headers = { authorization: `Basic ${btoa('app:secret')}` }
    expect((await app.request('POST', '/revoke', { headers, form: { ...client, token } })).status).toBe(200)
    await expectRefusal(
      await app.request('POST', '/token/refresh', { json: { refresh_token: token } }),
      'invalid_refresh_token',
    )
  })
})

describeApp('spaces and tabs around a typed name', {}, (app) => {
  const login = async (form: Record<string, string>) => (await app.request('POST', '/token', { form })).status

  test('12.B5 are ignored at login and registration, and never in a password', async () => {
    await app.signUp()
    for (const username of [' ada', 'ada ', '\tada \t', ' ada@example.com ', '  ADA'])
      expect([username, await login({ username, password })]).toEqual([username, 200])
    for (const username of ['\u00a0ada', 'ada\n', '\u3000ada', 'a da', '\u2003ada'])
      expect([username, await login({ username, password })]).toEqual([username, 401])
    for (const wrong of [` ${password}`, `${password} `, `${password}\t`])
      expect(await login({ username: 'ada', password: wrong })).toBe(401)
    const json = { email: '\tgrace@example.com ', username: ' grace ', password: ` ${password} ` }
    const registered = await app.request('POST', '/register', { json })
    expect(await registered.json()).toMatchObject({ email: 'grace@example.com', username: 'grace' })
    expect(await login({ username: 'grace', password })).toBe(401)
    expect(await login({ username: 'grace', password: ` ${password} ` })).toBe(200)
    const taken = { ...json, email: 'other@example.com', username: ' ADA\t' }
    await expectRefusal(await app.request('POST', '/register', { json: taken }), 'username_taken')
  })

  test('12.B5 an imported name with spaces inside still logs in', async () => {
    const { id } = await app.signUp()
    await app.rows.users.change({ id }, { username: 'Ada of  Byron', usernameKey: 'ada of  byron' })
    for (const username of ['Ada of  Byron', ' ada of  byron\t']) expect(await login({ username, password })).toBe(200)
    expect(await login({ username: 'Ada of Byron', password })).toBe(401)
  })
})

describeApp('the body of a request', {}, (app) => {
  test('12.B5, 12.B7: is read whatever parameters and case its Content-Type has', async () => {
    await app.signUp()
    const form = new URLSearchParams(known).toString()
    for (const parameters of [
      '; charset=ISO-8859-1',
      ';charset=us-ascii',
      '; Charset="UTF-8"',
      '; charset=windows-1252',
      '; x=y/z=1; v="a;b"',
      ';',
    ])
      for (const [type, body] of [
        [`Application/X-WWW-Form-Urlencoded${parameters}`, form],
        [`MULTIPART/Form-Data; BOUNDARY="x"${parameters}`, multipart(Object.entries(known))],
      ])
        expect([type, (await app.request('POST', '/token', { type, body })).status]).toEqual([type, 200])
    for (const parameters of [
      '; charset=US-ASCII',
      ';charset=utf8',
      '; odata.metadata=none; profile=https://example.com/a?b=c',
    ])
      expect(
        (await app.request('POST', '/token', { type: `APPLICATION/json${parameters}`, body: JSON.stringify(known) }))
          .status,
      ).toBe(200)
    // The percent-encoding of Latin-1 is not UTF-8, and JSON in another charset would be misread.
    const latin = { type: 'application/x-www-form-urlencoded; charset=ISO-8859-1', body: `${form}&x=%E9` }
    await expectRefusal(await app.request('POST', '/token', latin), 'invalid_request')
    const wide = { type: 'application/json; charset=utf-16', body: JSON.stringify(known) }
    await expectRefusal(await app.request('POST', '/token', wide), 'unsupported_media_type')
  })

  test('12.B7 null in an optional member means that it is absent, and the document says so', async () => {
    await app.signUp()
    const absent = { grant_type: null, refresh_token: null, device_token: null }
    for (const path of ['/token', '/user/token'])
      expect((await app.request('POST', path, { json: { ...known, ...absent } })).status).toBe(200)
    await expectRefusal(await app.request('POST', '/token', { json: { ...known, password: null } }), 'invalid_request')
    const revoke = await app.request('POST', '/revoke', { json: { token: 'x', token_type_hint: null } })
    expect(revoke.status).toBe(200)
    const document = (await (await app.request('GET', '/openapi.json')).json()) as {
      paths: Record<string, Record<string, { requestBody?: { content: Record<string, { schema: { $ref: string } }> } }>>
      components: { schemas: Record<string, { properties: Record<string, object>; required?: string[] }> }
    }
    for (const methods of Object.values(document.paths))
      for (const { requestBody } of Object.values(methods)) {
        const { schema } = requestBody?.content['application/json'] ?? {}
        if (schema === undefined) continue
        const { properties, required = [] } = document.components.schemas[schema.$ref.split('/').at(-1)!]!
        for (const [name, member] of Object.entries(properties))
          expect([name, JSON.stringify(member).includes('"null"')]).toEqual([name, !required.includes(name)])
      }
  })

  test('12.B8 M6: is a form or JSON at /token/refresh and /revoke', async () => {
    const { grant } = await app.signUp()
    const refreshed = await app.request('POST', '/token/refresh', { form: { refresh_token: grant.refresh_token! } })
    expect(refreshed.status).toBe(200)
    const { refresh_token } = (await refreshed.json()) as { refresh_token: string }
    // Clients parse the answer of /revoke, so it is JSON too, whatever the token was.
    for (const token of [refresh_token, 'x']) {
      const revoked = await app.request('POST', '/revoke', { json: { token } })
      expect([revoked.status, revoked.headers.get('content-type'), await revoked.json()]).toEqual([
        200,
        expect.stringMatching(/^application\/json\b/),
        {},
      ])
    }
    const over = await app.request('POST', '/token/refresh', { form: { refresh_token } })
    await expectRefusal(over, 'invalid_refresh_token')
    await expectRefusal(await app.request('POST', '/revoke', { json: {} }), 'invalid_request')
  })
})
