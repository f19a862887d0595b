import { beforeAll, describe, expect, test } from 'bun:test'
import { createPublicKey, generateKeyPairSync } from 'node:crypto'
import { decodeJwt, decodeProtectedHeader, importJWK, jwtVerify } from 'jose'
import { exportPublicJwk, generateSigningKey, hmacKey, type SigningKey } from '../../src/features/signing-keys/jwk.ts'
import { signBytes } from '../../src/features/tokens/jws.ts'
import { SECOND } from '../../src/lib/clock.ts'
import { toBase64Url, utf8 } from '../../src/lib/encoding.ts'
import { createTestApp, type SignedUp, type TestApp } from '../support/app.ts'
import { appPerSuite } from '../support/hooks.ts'
import { expectRefusal } from '../support/refusal.ts'

const jwtSecret = 'a-secret-for-hs256-only-0123456789-abcdef'
const issuer = 'http://localhost:8000'
const hs256 = { JWT_ALG: 'HS256', JWT_SECRET: jwtSecret }
const fastapi = { ...hs256, JWT_COMPAT: 'fastapi' }

const me = (app: TestApp, token: string) => app.request('GET', '/users/me', { token })
const encode = (part: unknown): string => toBase64Url(utf8(typeof part === 'string' ? part : JSON.stringify(part)))
/** Signs header and payload unchanged, so that a token is never refused for its signature. */
const signed = (key: SigningKey, header: unknown, payload: unknown): string => {
  const input = `${encode(header)}.${encode(payload)}`
  return `${input}.${toBase64Url(signBytes(key, utf8(input)))}`
}

async function withApp(env: Record<string, string>, run: (app: TestApp, ada: SignedUp) => Promise<void>) {
  const app = await createTestApp({ env })
  await run(app, await app.signUp('ada'))
  await app.close()
}

describe.each([
  ['ES256', {}],
  ['EdDSA', { JWT_ALG: 'EdDSA' }],
  ['RS256', { JWT_ALG: 'RS256' }],
  ['HS256', hs256],
] as [string, Record<string, string>][])('%s', (alg, env) => {
  test('works end to end: issued, accepted, verified by jose, expired exactly at exp', () =>
    withApp(env, async (app, { grant }) => {
      const token = grant.access_token
      expect((await me(app, token)).status).toBe(200)
      const key = app.keys.signing()
      expect(decodeProtectedHeader(token)).toEqual({ alg, kid: key.kid, typ: 'at+jwt' })
      const verifier = alg === 'HS256' ? utf8(jwtSecret) : await importJWK({ ...exportPublicJwk(key) }, alg)
      const { payload } = await jwtVerify(token, verifier, {
        issuer,
        audience: issuer,
        typ: 'at+jwt',
        currentDate: new Date(app.clock.now()),
      })
      expect(payload.exp).toBe(app.clock.now() / SECOND + 1800)

      await app.clock.advance(1800 * SECOND - 1)
      expect((await me(app, token)).status).toBe(200)
      await app.clock.advance(1)
      await expectRefusal(await me(app, token), 'invalid_token')
    }))

  test('E3: is refused if any byte is altered, removed or doubled', () =>
    withApp(env, async (app, { grant }) => {
      const token = grant.access_token
      const survivors: string[] = []
      for (let at = 0; at < token.length; at++) {
        const neighbour = String.fromCharCode(token.charCodeAt(at) ^ 1)
        for (const other of [neighbour, '', `${token[at]}${token[at]}`]) {
          const altered = token.slice(0, at) + other + token.slice(at + 1)
          if (altered !== token && (await me(app, altered)).status !== 401) survivors.push(altered)
        }
      }
      expect(survivors).toEqual([])
      expect((await me(app, token)).status).toBe(200)
      expect(app.logs.join()).not.toContain('unhandled_error')
    }))

  test('is refused if it has another key or issuer', () =>
    withApp(env, async (app, { grant }) => {
      const { kid } = app.keys.signing()
      const claims = decodeJwt(grant.access_token)
      const strange = alg === 'HS256' ? hmacKey(`${jwtSecret}!`) : generateSigningKey(alg as 'ES256')
      for (const header of [{ kid }, { kid: strange.kid }, {}])
        await expectRefusal(await me(app, signed(strange, { alg, typ: 'at+jwt', ...header }, claims)), 'invalid_token')
      const honest = { alg, kid, typ: 'at+jwt' }
      const own = app.keys.signing()
      expect((await me(app, signed(own, honest, claims))).status).toBe(200)
      for (const iss of ['http://localhost:8000/', 'https://localhost:8000', 'http://other:8000', '', null, [issuer]])
        await expectRefusal(await me(app, signed(own, honest, { ...claims, iss })), 'invalid_token')
    }))
})

describe('claims', () => {
  test('are those of RFC 9068, with the session and its generation', () =>
    withApp({}, async (app, { id, grant }) => {
      const seconds = app.clock.now() / SECOND
      const claims = decodeJwt(grant.access_token)
      expect(claims).toMatchObject({
        iss: issuer,
        sub: String(id),
        aud: issuer,
        exp: seconds + 1800,
        iat: seconds,
        client_id: 'keyward',
        username: 'ada',
        email: 'ada@example.com',
        email_verified: false,
        roles: ['user'],
        amr: ['pwd'],
        auth_time: seconds,
      })
      expect(claims.jti).toMatch(/^[\w-]{22}$/)
      expect(claims.sid).toMatch(/^[\w-]{22}$/)
      const again = await app.request('POST', '/token', {
        form: { username: 'ada', password: 'correct horse battery' },
      })
      const other = decodeJwt(((await again.json()) as { access_token: string }).access_token)
      expect(other.jti).not.toBe(claims.jti)
      expect(other.sid).not.toBe(claims.sid)
    }))

  test('about a user are left out as TOKEN_CLAIMS says', async () => {
    const personal = ['username', 'email', 'email_verified', 'roles']
    for (const chosen of [['roles'], ['username', 'email'], []])
      await withApp({ TOKEN_CLAIMS: chosen.join() }, async (app, { grant }) => {
        const names = Object.keys(decodeJwt(grant.access_token))
        expect(names.filter((name) => personal.includes(name))).toEqual(chosen)
        expect((await me(app, grant.access_token)).status).toBe(200)
      })
  })

  test('follow PUBLIC_URL, JWT_AUDIENCE and ACCESS_TOKEN_EXPIRE_MINUTES', () =>
    withApp(
      { PUBLIC_URL: 'https://id.example.com', JWT_AUDIENCE: 'my api', ACCESS_TOKEN_EXPIRE_MINUTES: '5' },
      async (app, { grant }) => {
        expect(decodeJwt(grant.access_token)).toMatchObject({
          iss: 'https://id.example.com',
          aud: 'my api',
          exp: app.clock.now() / SECOND + 300,
        })
        expect(Number(grant.expires_in)).toBe(300)
        expect((await me(app, grant.access_token)).status).toBe(200)
      },
    ))

  test('E5: are checked for the audience', () =>
    withApp({ JWT_AUDIENCE: 'my api' }, async (app, { grant }) => {
      const key = app.keys.signing()
      const header = decodeProtectedHeader(grant.access_token)
      const claims = decodeJwt(grant.access_token)
      expect((await me(app, signed(key, header, { ...claims, aud: ['other', 'my api'] }))).status).toBe(200)
      for (const aud of [undefined, null, '', issuer, 'my', ['other'], [['my api']], { 0: 'my api' }])
        await expectRefusal(await me(app, signed(key, header, { ...claims, aud })), 'invalid_token')
    }))
})

describe('JWT_COMPAT=fastapi', () => {
  test('issues what such services read: typ JWT, sub the username, no aud, the id in uid', () =>
    withApp(fastapi, async (app, { id, grant }) => {
      expect(decodeProtectedHeader(grant.access_token)).toMatchObject({ alg: 'HS256', typ: 'JWT' })
      const claims = decodeJwt(grant.access_token)
      expect(claims).toMatchObject({ sub: 'ada', uid: id, iss: issuer })
      expect(claims).not.toHaveProperty('aud')
      expect((await me(app, grant.access_token)).status).toBe(200)
      // Such services verify with the secret only, and check nothing but exp and sub.
      const { payload } = await jwtVerify(grant.access_token, utf8(jwtSecret), {
        algorithms: ['HS256'],
        currentDate: new Date(app.clock.now()),
      })
      expect(payload.sub).toBe('ada')
    }))

  test('identifies the user by uid, never by the name in sub', () =>
    withApp(fastapi, async (app, { grant }) => {
      await app.signUp('bea')
      const key = app.keys.signing()
      const header = decodeProtectedHeader(grant.access_token)
      const claims = decodeJwt(grant.access_token)
      const renamed = await me(app, signed(key, header, { ...claims, sub: 'bea' }))
      expect(((await renamed.json()) as { username: string }).username).toBe('ada')
      for (const uid of [undefined, null, '1', 1.5, -1, 0, 2 ** 53, 2, 999])
        await expectRefusal(await me(app, signed(key, header, { ...claims, uid })), 'invalid_token')
    }))

  test('tokens and ordinary ones are not confused, although one secret signs both', async () => {
    await withApp(fastapi, async (compat, { grant: compatGrant }) =>
      withApp(hs256, async (plain, { grant: plainGrant }) => {
        await expectRefusal(await me(compat, plainGrant.access_token), 'invalid_token')
        await expectRefusal(await me(plain, compatGrant.access_token), 'invalid_token')
      }),
    )
  })
})

describe('a token with a valid signature is refused for', () => {
  const app = appPerSuite()
  let ada: SignedUp
  let key: SigningKey
  let header: Record<string, unknown>
  let claims: Record<string, unknown>
  beforeAll(async () => {
    ada = await app.signUp('ada')
    key = app.keys.signing()
    header = { ...decodeProtectedHeader(ada.grant.access_token) }
    claims = decodeJwt(ada.grant.access_token)
  })

  const refused = async (token: string) => {
    const response = await me(app, token)
    expect(await response.clone().text()).not.toContain(token.slice(0, 20))
    await expectRefusal(response, 'invalid_token')
  }

  test('nothing, if it is unchanged', async () => {
    expect((await me(app, signed(key, header, claims))).status).toBe(200)
  })

  test('E4: exp: missing, passed, text, infinite, in milliseconds, not a number', async () => {
    const now = app.clock.now() / SECOND
    for (const exp of [
      undefined,
      null,
      0,
      -1,
      now,
      now - 1,
      String(now + 60),
      [now + 60],
      { n: 1 },
      true,
      (now + 60) * 1000,
    ])
      await refused(signed(key, header, { ...claims, exp }))
    for (const exp of ['1e400', '-1e400', '1e308', '99999999999999999999'])
      await refused(signed(key, header, JSON.stringify(claims).replace(/"exp":\d+/, `"exp":${exp}`)))
  })

  test('E4: iat and nbf: in the future or not numbers', async () => {
    const now = app.clock.now() / SECOND
    for (const [name, value] of Object.entries({ iat: now + 61, nbf: now + 1 })) {
      await refused(signed(key, header, { ...claims, [name]: value }))
      await refused(signed(key, header, { ...claims, [name]: String(now) }))
    }
  })

  test('E6: sub and sid: another user, nobody, another spelling of the number', async () => {
    const bea = await app.signUp('bea')
    const { sid } = decodeJwt(bea.grant.access_token)
    for (const sub of [
      undefined,
      null,
      ada.id,
      '0',
      '-1',
      '01',
      '1.0',
      '1e0',
      ' 1',
      '1 ',
      '0x1',
      '',
      '9'.repeat(16),
      '9'.repeat(400),
      String(bea.id),
      '999',
      ['1'],
      '١',
    ])
      await refused(signed(key, header, { ...claims, sub }))
    for (const other of [
      undefined,
      null,
      '',
      sid,
      1,
      [claims.sid],
      `${claims.sid} `,
      String(claims.sid).toLowerCase(),
      'x'.repeat(4_000),
    ])
      await refused(signed(key, header, { ...claims, sid: other }))
  })

  test('a payload that is not an object, or has a claim twice', async () => {
    const text = JSON.stringify(claims)
    for (const payload of ['[]', 'null', '1', '"x"', '', '{', `[${text}]`, `${text}${text}`, `\ufeff${text}`])
      await refused(signed(key, header, payload))
    await refused(signed(key, header, text.replace('{', '{"sub":"1",')))
    await refused(signed(key, header, text.replace('{', '{"__proto__":{},')))
    await refused(signed(key, header, text.replace('{', `{"x":${'['.repeat(50)}${']'.repeat(50)},`)))
  })

  test('E5: typ: every other type of token', async () => {
    for (const typ of [
      undefined,
      null,
      '',
      'JWT',
      'jwt',
      'AT+JWT',
      'application/at+jwt',
      'at+jwt ',
      'id+jwt',
      'logout+jwt',
      'dpop+jwt',
      'keyward-device+jwt',
      ['at+jwt'],
    ])
      await refused(signed(key, { ...header, typ }, claims))
    const others = [
      'kw_0123456789abcdef',
      'kwr_AQ5q3v2pQm3kS1y2Z7sXbQAAAAAB',
      'bm90IGEgand0',
      ada.grant.refresh_token,
      ada.grant.device_token,
    ]
    for (const token of others) if (token !== undefined) await refused(token)
  })

  test('E1: alg: none in every spelling, with and without a signature', async () => {
    for (const alg of ['none', 'None', 'NONE', 'nOnE', '', null, undefined, ['ES256'], 'es256', 'ES256 ']) {
      await refused(signed(key, { ...header, alg }, claims))
      await refused(`${encode({ ...header, alg })}.${encode(claims)}.`)
      await refused(`${encode({ ...header, alg })}.${encode(claims)}`)
    }
  })

  test('E1: alg: the public key used as the secret of HS256', async () => {
    const jwk = exportPublicJwk(key)
    const publicKey = createPublicKey({ key: { ...jwk }, format: 'jwk' })
    for (const secret of [
      publicKey.export({ type: 'spki', format: 'pem' }).toString(),
      publicKey.export({ type: 'spki', format: 'pem' }).toString().trim(),
      publicKey.export({ type: 'spki', format: 'der' }).toString('latin1'),
      JSON.stringify(jwk),
      `${jwk.x}${jwk.y}`,
      'x'.repeat(32),
      '\0'.repeat(32),
    ])
      await refused(signed(hmacKey(secret), { ...header, alg: 'HS256' }, claims))
  })

  test('E1: alg: a different one than that of the key', async () => {
    for (const alg of ['ES384', 'ES512', 'ES256K', 'RS256', 'PS256', 'EdDSA', 'HS256', 'HS512'])
      await refused(signed(key, { ...header, alg }, claims))
    const rsa = generateSigningKey('RS256')
    await refused(signed(rsa, { ...header, alg: 'RS256' }, claims))
  })

  test('E2, K9: kid: unknown, a path, SQL, not text, missing', async () => {
    for (const kid of [
      undefined,
      null,
      '',
      'x',
      '../../../dev/null',
      '/dev/null',
      "' OR 1=1 --",
      `${key.kid} `,
      key.kid.slice(1),
      [key.kid],
      { kid: key.kid },
      0,
      'x'.repeat(5_000),
      '__proto__',
      'constructor',
    ])
      await refused(signed(key, { ...header, kid }, claims))
  })

  test('E2, E7: jwk, jku, x5c, x5u, crit, b64, zip, cty: a header that brings a key or changes the meaning', async () => {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const forged: SigningKey = { alg: 'ES256', kid: key.kid, key: privateKey }
    const jwk = exportPublicJwk(forged)
    for (const extra of [
      { jwk },
      { jku: 'https://evil.example/jwks.json' },
      { x5u: 'https://evil.example/cert' },
      { x5c: ['MIIB'] },
      { crit: ['exp'] },
      { crit: [] },
      { b64: false, crit: ['b64'] },
      { zip: 'DEF' },
      { cty: 'JWT' },
    ]) {
      await refused(signed(forged, { ...header, ...extra }, claims))
      await refused(signed(forged, { ...header, kid: undefined, ...extra }, claims))
      await refused(signed(key, { ...header, ...extra }, claims))
    }
  })

  test('E7, E8: serialization: more or fewer parts, padding, spaces, other alphabets, JWE, JSON, too long', async () => {
    const token = ada.grant.access_token
    const [head = '', body = '', signature = ''] = token.split('.')
    for (const odd of [
      `${token}.`,
      `.${token}`,
      `${head}.${body}`,
      `${head}..${signature}`,
      `${token}.${token}`,
      `${head}.${body}.${signature}=`,
      `${head}.${body}.${signature}==`,
      `${head}.${body}.${signature}A`,
      `${head}=.${body}.${signature}`,
      `${head}.${body}.${Buffer.from(signature, 'base64url').toString('base64')}`,
      `${head}.${body}.a.b`,
      '..',
      '...',
      '.'.repeat(5_000),
      'a'.repeat(9_000),
      signed(key, header, { ...claims, pad: 'x'.repeat(9_000) }),
    ])
      await refused(odd)
    for (const odd of [
      `${head} .${body}.${signature}`,
      `"${token}"`,
      JSON.stringify({ payload: body }),
      `${token},${token}`,
    ])
      await refused(odd)
  })

  test('its content, never by an internal error', () => {
    expect(app.logs.join()).not.toContain('unhandled_error')
    expect(app.logs.join()).not.toContain(ada.grant.access_token.slice(0, 30))
  })
})
