import { beforeAll, describe, expect, test } from 'bun:test'
import type { RequestOptions } from '../support/app.ts'
import { describeEachDialect } from '../support/dialects.ts'
import { appPerSuite } from '../support/hooks.ts'
import { expectRefusal, type Problem } from '../support/refusal.ts'

/** Contained in every value that is sent, so that an echo of it can be found. */
const marker = 'zq7'

const wrongTypes: Record<string, unknown> = {
  null: null,
  true: true,
  'a number': 7_777_777,
  'a huge number': 1e308,
  'an array': [marker],
  'an array of addresses': [`${marker}@example.com`, 'ada@example.com'],
  'an object': { $ne: marker, valueOf: marker, toJSON: marker, length: marker },
  'nested arrays': [[[[marker]]]],
}

/** Texts that are refused in every field except a password. */
const badTexts: Record<string, string> = {
  empty: '',
  spaces: '      ',
  'surrounded by no-break spaces': `\u00a0${marker}\u00a0`,
  'a line break': `${marker}\r\nBcc: eve@example.com`,
  NUL: `${marker}\0${marker}`,
  'control characters': `${marker}\u0001\u001b[31m\u007f\u0085`,
  'a lone high surrogate': `${marker}\ud800`,
  'a lone low surrogate': `\udc00${marker}`,
  emoji: `${marker}🦄👩‍👩‍👧`,
  'right-to-left marks': `\u202e${marker}\u200f`,
  'zero-width characters': `${marker}\u200b\ufeff`,
  'a soft hyphen': `${marker}\u00ad`,
  'fullwidth letters': `${marker}ｚｑ`,
  'a fullwidth @': `${marker}＠example.com`,
  'a combining mark': `${marker}e\u0301`,
  SQL: `${marker}'; DROP TABLE users; --`,
  HTML: `<script>${marker}</script>`,
  'a template': `\${${marker}}{{${marker}}}%s`,
  'ten thousand characters': marker.repeat(3_334),
  'sixty thousand characters': marker.repeat(20_000),
  'ten thousand combining marks': `${marker}${'\u0344'.repeat(10_000)}`,
}

describeEachDialect('bad input', (dialect) => {
  const app = appPerSuite({ dialect, env: { RATE_LIMIT: 'off' } }, async () => {
    // No refused request changed anything or is in the log.
    expect(await rows()).toEqual(before)
    expect(app.logs.join('')).not.toContain(marker)
    expect(app.logs.join('')).not.toContain('unhandled_error')
  })
  const rows = async () => [await app.rows.users.all(), await app.rows.sessions.all()]
  let before: Awaited<ReturnType<typeof rows>>

  beforeAll(async () => {
    await app.signUp()
    before = await rows()
    app.logs.length = 0
  })

  /** Sends the body and checks that the refusal contains nothing of it. */
  async function refused(path: string, options: RequestOptions, codes: Parameters<typeof expectRefusal>[1][]) {
    const response = await app.request('POST', path, options)
    const text = await response.clone().text()
    expect(codes as string[]).toContain((JSON.parse(text) as Problem).code)
    expect(text).not.toContain(marker)
    return expectRefusal(response, (JSON.parse(text) as Problem).code as (typeof codes)[number])
  }

  const good = { email: 'bea@example.com', username: 'bea', password: 'correct horse battery' }

  describe.each(['email', 'username', 'password'] as const)('registration with the %s', (field) => {
    test.each(Object.entries(wrongTypes))('%s', async (_, value) => {
      const problem = await refused('/register', { json: { ...good, [field]: value } }, ['validation_failed'])
      expect(problem.errors?.map((error) => error.field)).toEqual([field])
    })

    test('missing', async () => {
      const { [field]: _, ...rest } = good
      const problem = await refused('/register', { json: rest }, ['validation_failed'])
      expect(problem.errors?.map((error) => error.field)).toEqual([field])
    })
  })

  describe.each(['email', 'username'] as const)('registration with the %s', (field) => {
    test.each(Object.entries(badTexts))('%s', async (_, text) => {
      // A local part may contain template syntax.
      const value = field === 'email' && !/[＠$]/.test(text) ? `${text}@example.com` : text
      const problem = await refused('/register', { json: { ...good, [field]: value } }, ['validation_failed'])
      expect(problem.errors?.map((error) => error.field)).toEqual([field])
    })
  })

  describe('registration with the email', () => {
    test.each([
      'bea',
      '@',
      '@example.com',
      'bea@',
      'bea@example',
      'bea@@example.com',
      'bea@example.com,eve@example.com',
      'bea@example.com eve@example.com',
      'Bea <bea@example.com>',
      '"bea"@example.com',
      'bea@[127.0.0.1]',
      'bea@127.0.0.1',
      'bea.@example.com',
      '.bea@example.com',
      'b..ea@example.com',
      'bea@-example.com',
      'bea@example..com',
      'bea@example.com.',
      'bea@exam_ple.com',
      'mailto:bea@example.com',
      'bea@example.com/x',
      'bea@example.com?x',
      'bea@example.com#x',
      'bea@exam%70le.com',
      `${'b'.repeat(65)}@example.com`,
      `bea@${'e'.repeat(64)}.com`,
      `bea@${'example.'.repeat(40)}com`,
    ])('%s', async (email) => {
      const problem = await refused('/register', { json: { ...good, email } }, ['validation_failed'])
      expect(problem.errors?.map((error) => error.field)).toEqual(['email'])
    })
  })

  describe('registration with the password', () => {
    const bad: Record<string, string> = {
      empty: '',
      'seven characters': `${marker}${marker}7`,
      'seven emoji': '🦄'.repeat(7),
      'seven characters of two code points': 'e\u0301'.repeat(7),
      '257 characters': marker.repeat(86).slice(0, 257),
      'sixty thousand characters': marker.repeat(20_000),
      'ten thousand combining marks': `${marker}${'\u0344'.repeat(10_000)}`,
      NUL: `${marker} with a \0 inside`,
      'a lone surrogate': `${marker} with a \ud800 inside`,
      'a common password': 'password123',
      'a common password in capitals': 'PASSWORD123',
      'the user’s own address': 'bea@example.com',
      'the user’s own name with punctuation': 'B.E.A-!!!!!!',
      'the name of the service': 'Keyward2026',
    }
    test.each(Object.entries(bad))('%s', async (_, password) => {
      const problem = await refused('/register', { json: { ...good, password } }, ['validation_failed'])
      expect(problem.errors?.map((error) => error.field)).toEqual(['password'])
      if (password) expect(JSON.stringify(problem)).not.toContain(password)
    })
  })

  test('K8: unknown members at registration are ignored, whatever their value', async () => {
    const json = {
      ...good,
      email: 'x',
      id: 7,
      is_active: false,
      roles: ['admin'],
      session_epoch: marker,
      constructor: 1,
    }
    const problem = await refused('/register', { json }, ['validation_failed'])
    expect(problem.errors?.map((error) => error.field)).toEqual(['email'])
  })

  describe.each(['/token', '/user/token'])('%s', (path) => {
    const known = { username: 'ada', password: 'correct horse battery' }

    describe.each(['username', 'password', 'grant_type'] as const)('with the %s', (field) => {
      // A `grant_type` of null counts as omitted, so it is the login of its default.
      const wrong = Object.entries(wrongTypes).filter(([, value]) => field !== 'grant_type' || value !== null)
      test.each(wrong)('%s', async (_, value) => {
        const problem = await refused(path, { json: { ...known, [field]: value } }, ['invalid_request'])
        expect(problem.errors?.map((error) => error.field)).toEqual([field])
      })
    })

    test.each(Object.entries(badTexts).filter(([, text]) => text !== ''))('with %s in any field', async (_, text) => {
      for (const field of ['username', 'password'] as const)
        await refused(path, { json: { ...known, [field]: text } }, ['invalid_credentials'])
      await refused(path, { json: { ...known, username: `${text}@example.com` } }, ['invalid_credentials'])
      await refused(path, { json: { ...known, grant_type: text } }, ['unsupported_grant_type'])
      if (text.length < 30_000)
        for (const field of ['username', 'password'] as const)
          await refused(path, { form: { ...known, [field]: text } }, ['invalid_credentials'])
    })

    test('with a parameter that is missing or empty', async () => {
      for (const options of [
        { json: { username: 'ada' } },
        { form: 'username=ada' },
        { form: 'username=ada&password=' },
      ])
        expect((await refused(path, options, ['invalid_request'])).errors?.map((error) => error.field)).toEqual([
          'password',
        ])
      for (const options of [{ json: { password: marker } }, { form: `username=&password=${marker}` }])
        expect((await refused(path, options, ['invalid_request'])).errors?.map((error) => error.field)).toEqual([
          'username',
        ])
    })
  })

  describe('a JSON body', () => {
    const account = JSON.stringify(good).slice(1, -1)
    const bodies: Record<string, string> = {
      empty: '',
      blank: ' \r\n\t ',
      truncated: `{${account}`,
      'followed by more': `{${account}} x`,
      'two documents': `{${account}}{${account}}`,
      'with a trailing comma': `{${account},}`,
      'with a comment': `{${account}/*${marker}*/}`,
      'with single quotes': `{'email':'${marker}'}`,
      'with bare names': `{email:"${marker}"}`,
      'with a raw line break in a string': `{"email":"${marker}\n"}`,
      'with a bad escape': `{"email":"${marker}\\x41"}`,
      'with NaN': '{"email":NaN}',
      'with Infinity': '{"email":-Infinity}',
      'with two byte order marks': `\ufeff\ufeff{${account}}`,
      'a member twice': `{${account},"email":"${marker}@example.com"}`,
      'a member twice, once escaped': `{${account},"\\u0065mail":"${marker}@example.com"}`,
      'a member twice, deep inside': `{${account},"x":[{"a":1,"b":{"c":1,"c":2}}]}`,
      'a member twice with one value': `{${account},"username":"bea"}`,
      __proto__: `{${account},"__proto__":{"is_active":true}}`,
      '__proto__, escaped': `{${account},"\\u005f_proto__":{"roles":["${marker}"]}}`,
      '__proto__, deep inside': `{${account},"x":{"__proto__":null}}`,
      'a member that breaks every text made of it': `{${account},"x":{"toString":"${marker}"}}`,
      'the same in a field': `{"email":[[{"toString":1}]],"username":{"toString":"${marker}"},"password":""}`,
      'an array too deep': `{${account},"x":${'['.repeat(40)}${']'.repeat(40)}}`,
      'thirty thousand arrays': '['.repeat(30_000) + ']'.repeat(30_000),
      'thirty thousand objects, open': '{"a":'.repeat(12_000),
      'sixty thousand quotes': '"'.repeat(60_000),
      'sixty thousand backslashes': `"${'\\'.repeat(60_000)}`,
      'a form': 'email=bea%40example.com&username=bea&password=x',
      XML: `<?xml version="1.0"?><email>${marker}</email>`,
    }
    test.each(Object.entries(bodies))('%s', async (_, body) => {
      await refused('/register', { body, type: 'application/json' }, ['invalid_request'])
      const problem = await refused('/token', { body, type: 'application/json' }, ['invalid_request'])
      expect(problem.error).toBe('invalid_request')
    })

    test('that is not UTF-8', async () => {
      const latin1 = Buffer.from(`{"email":"${marker}é"}`, 'latin1')
      await refused('/register', { body: latin1, type: 'application/json' }, ['invalid_request'])
      const utf16 = Buffer.from(`{${account}}`, 'utf16le')
      await refused('/register', { body: utf16, type: 'application/json' }, ['invalid_request'])
    })
  })

  describe('a form', () => {
    const forms: Record<string, string> = {
      'a parameter twice': `username=ada&password=${marker}&username=ada`,
      'a parameter twice, once encoded': `username=ada&password=${marker}&%75sername=${marker}`,
      'a parameter twice, once empty': `username=ada&password=${marker}&password=`,
      'grant_type twice': `grant_type=password&username=ada&password=${marker}&grant_type=password`,
      'an unknown parameter twice': `username=ada&password=${marker}&x=1&x=1`,
      'a broken percent-encoding': `username=ada&password=${marker}%`,
      'a percent-encoding that is not hexadecimal': `username=ada&password=${marker}%zz`,
      'bytes that are not UTF-8': `username=ada&password=${marker}%ff%fe`,
      'an encoded surrogate': `username=ada&password=${marker}%ed%a0%80`,
      'an overlong encoding': `username=ada&password=${marker}%c0%af`,
      'too many parameters': Array.from({ length: 65 }, (_, i) => `p${i}=${marker}`).join('&'),
      'nothing but separators': '&'.repeat(60_000),
      empty: '',
      'JSON instead': `{"username":"ada","password":"${marker}"}`,
      'arrays after PHP': `username[]=ada&password[]=${marker}`,
      __proto__: `__proto__=1&__proto__[username]=ada&password=${marker}`,
    }
    test.each(Object.entries(forms))('%s', async (_, form) => {
      for (const path of ['/token', '/user/token'])
        expect((await refused(path, { form }, ['invalid_request'])).error).toBe('invalid_request')
    })

    test('is refused by routes that take JSON, like every other media type', async () => {
      await refused('/register', { form: good }, ['unsupported_media_type'])
      for (const type of ['text/plain', 'text/json', 'application/jsonp', 'application/x-json', 'application/xml', 'x'])
        await refused('/register', { body: JSON.stringify(good), type }, ['unsupported_media_type'])
      const multipart = new FormData()
      multipart.set('username', 'ada')
      await refused('/register', { body: multipart as never }, ['unsupported_media_type'])
    })
  })
})
