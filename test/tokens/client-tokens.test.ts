import { describe, expect, test } from 'bun:test'
import { createHash } from 'node:crypto'
import { createLocalJWKSet, decodeJwt, decodeProtectedHeader, type JSONWebKeySet, jwtVerify } from 'jose'
import { exportPublicJwk, generateSigningKey, hmacKey, type SigningKey } from '../../src/features/signing-keys/jwk.ts'
import { signBytes } from '../../src/features/tokens/jws.ts'
import { HOUR, MINUTE, SECOND } from '../../src/lib/clock.ts'
import { toBase64Url, utf8 } from '../../src/lib/encoding.ts'
import type { TestApp } from '../support/app.ts'
import { describeEachDialect } from '../support/dialects.ts'
import { appPerTest } from '../support/hooks.ts'

const issuer = 'http://localhost:8000'
const clientId = 'kwa_abcdefghijklmnopqrst'

const encode = (part: unknown): string => toBase64Url(utf8(typeof part === 'string' ? part : JSON.stringify(part)))
const signedWith = (key: SigningKey, header: object, payload: object): string => {
  const input = `${encode(header)}.${encode(payload)}`
  return `${input}.${toBase64Url(signBytes(key, utf8(input)))}`
}

describeEachDialect('tokens of clients', (dialect) => {
  const app = appPerTest({ dialect, env: { ID_TOKEN_MINUTES: '60' } })

  const keySet = async (of: TestApp = app) =>
    (await (await of.request('GET', '/.well-known/jwks.json')).json()) as JSONWebKeySet
  const verified = async (token: string, typ: string) => {
    const options = { issuer, typ, currentDate: new Date(app.clock.now()) }
    return (await jwtVerify(token, createLocalJWKSet(await keySet()), options)).payload
  }
  const signIn = async () => {
    const { id, grant } = await app.signUp()
    const { sid } = decodeJwt(grant.access_token)
    return { userId: id, sessionId: sid as string, authTime: app.clock.now(), amr: ['pwd'], clientId }
  }

  test('U8: an ID token has the claims of the specification and no others, for each algorithm', async () => {
    const subject = await signIn()
    const { token: accessToken } = app.tokens.mintForClient({
      ...subject,
      generation: 0,
      scope: 'openid',
      resources: [],
    })
    const claims = {
      email: 'ada@example.com',
      iss: 'https://evil.example',
      sub: '2',
      aud: 'other',
      sid: 'x',
      nonce: 'y',
    }
    for (const alg of ['RS256', 'ES256', 'EdDSA'] as const) {
      const token = await app.tokens.mintIdToken({ ...subject, alg, nonce: 'n-0S6', accessToken, claims })
      const { kid } = decodeProtectedHeader(token)
      expect(decodeProtectedHeader(token)).toEqual({ alg, kid: expect.any(String), typ: 'JWT' })
      expect((await keySet()).keys).toContainEqual(expect.objectContaining({ kid, alg, use: 'sig' }))
      const iat = Math.floor(app.clock.now() / SECOND)
      const hash = createHash(alg === 'EdDSA' ? 'sha512' : 'sha256')
        .update(accessToken)
        .digest()
      expect(await verified(token, 'JWT')).toEqual({
        iss: issuer,
        sub: String(subject.userId),
        aud: clientId,
        exp: iat + 3600,
        iat,
        jti: expect.stringMatching(/^[\w-]{22}$/),
        auth_time: iat,
        nonce: 'n-0S6',
        amr: ['pwd'],
        acr: 'aal1',
        at_hash: hash.subarray(0, hash.length / 2).toString('base64url'),
        sid: subject.sessionId,
        email: 'ada@example.com',
      })
    }
    const plain = decodeJwt(await app.tokens.mintIdToken({ ...subject, alg: 'RS256' }))
    expect(Object.keys(plain).sort()).toEqual([
      'acr',
      'amr',
      'aud',
      'auth_time',
      'exp',
      'iat',
      'iss',
      'jti',
      'sid',
      'sub',
    ])
    // The kids differ, no key has a private part, and the key of access tokens comes first.
    const { keys } = await keySet()
    expect(new Set(keys.map(({ kid }) => kid)).size).toBe(keys.length)
    for (const key of keys) for (const secret of ['d', 'p', 'q', 'k']) expect(key).not.toHaveProperty(secret)
    expect([keys[0]?.kid, keys[0]?.alg]).toEqual([app.keys.signing().kid, 'ES256'])
  })

  test('U8: a logout token is valid for 2 minutes, names the session and has no nonce', async () => {
    const { userId, sessionId } = await signIn()
    const token = await app.tokens.mintLogoutToken({ alg: 'ES256', clientId, userId, sessionId })
    expect(decodeProtectedHeader(token)).toMatchObject({ alg: 'ES256', typ: 'logout+jwt' })
    const iat = Math.floor(app.clock.now() / SECOND)
    expect(await verified(token, 'logout+jwt')).toEqual({
      iss: issuer,
      sub: String(userId),
      aud: clientId,
      exp: iat + 120,
      iat,
      jti: expect.stringMatching(/^[\w-]{22}$/),
      sid: sessionId,
      events: { 'http://schemas.openid.net/event/backchannel-logout': {} },
    })
  })

  test('U12: the audience of a client’s token is userinfo and its resources; names need their scopes', async () => {
    const subject = await signIn()
    const resources = ['https://api.example.com']
    const common = { ...subject, generation: 0, scope: 'openid' }
    const { token, expiresIn } = app.tokens.mintForClient({ ...common, resources: [] })
    const iat = Math.floor(app.clock.now() / SECOND)
    expect(expiresIn).toBe(1800)
    expect(decodeProtectedHeader(token)).toMatchObject({ alg: 'ES256', typ: 'at+jwt' })
    expect(await verified(token, 'at+jwt')).toEqual({
      iss: issuer,
      sub: String(subject.userId),
      aud: `${issuer}/userinfo`,
      exp: iat + 1800,
      iat,
      jti: expect.any(String),
      sid: subject.sessionId,
      gen: 0,
      client_id: clientId,
      amr: ['pwd'],
      acr: 'aal1',
      scope: 'openid',
      auth_time: iat,
    })
    expect(decodeJwt(app.tokens.mintForClient({ ...common, resources }).token).aud).toEqual([
      `${issuer}/userinfo`,
      'https://api.example.com',
    ])
    const service = app.tokens.mintForService({ clientId, scope: '', resources: [] }).token
    expect(decodeJwt(service)).toMatchObject({ sub: clientId, client_id: clientId, aud: `${issuer}/introspect` })
    for (const absent of ['sid', 'gen', 'scope', 'username']) expect(decodeJwt(service)).not.toHaveProperty(absent)
    expect(decodeJwt(app.tokens.mintForService({ clientId, scope: 'a b', resources }).token)).toMatchObject({
      aud: 'https://api.example.com',
      scope: 'a b',
    })
  })

  test('a token of a client is introspected with the names that its scopes allow, and not revoked by others', async () => {
    const { client } = await app.admin.createClient()
    const clientId = client.id
    const subject = { ...(await signIn()), clientId }
    const owner = await app.admin.createUser({
      email: 'boss@example.com',
      username: 'boss',
      password: 'zebra crossing at noon',
      admin: true,
    })
    const { text: key } = await app.admin.createApiKey({ owner, scopes: ['tokens:introspect'] })
    const introspected = async (token: string) =>
      (await (await app.request('POST', '/introspect', { token: key, form: { token } })).json()) as object
    const mint = (scope: string) => app.tokens.mintForClient({ ...subject, generation: 0, scope, resources: [] }).token
    const bare = await introspected(mint('openid'))
    expect(bare).toMatchObject({ active: true, client_id: clientId, scope: 'openid', sub: String(subject.userId) })
    for (const name of ['username', 'roles', 'email']) expect(bare).not.toHaveProperty(name)
    expect(await introspected(mint('openid profile groups'))).toMatchObject({ username: 'ada', roles: ['user'] })
    const service = app.tokens.mintForService({ clientId, scope: 'read', resources: [] }).token
    expect(await introspected(service)).toMatchObject({ active: true, sub: clientId, scope: 'read' })

    for (const token of [mint('openid'), service])
      expect((await app.request('POST', '/revoke', { form: { token } })).status).toBe(200)
    expect(await introspected(mint('openid'))).toMatchObject({ active: true })
    const idToken = await app.tokens.mintIdToken({ ...subject, alg: 'ES256' })
    expect(await introspected(idToken)).toEqual({ active: false })
    await app.clock.advance(1800 * SECOND)
    expect(await introspected(service)).toEqual({ active: false })
  })

  test('E5: an ID token is a hint also after it expired and after its key was rotated; nothing else is one', async () => {
    const subject = await signIn()
    const { userId, sessionId } = subject
    const idToken = await app.tokens.mintIdToken({ ...subject, alg: 'ES256' })
    const hint = { clientId, userId, sessionId, expired: false }
    expect(await app.tokens.readIdTokenHint(idToken)).toEqual(hint)

    const claims = decodeJwt(idToken)
    const { kid } = decodeProtectedHeader(idToken)
    const own = app.keys.signing()
    const header = { alg: own.alg, kid: own.kid, typ: 'JWT' }
    // The helper makes tokens that count, so those below are refused for what they change.
    expect(await app.tokens.readIdTokenHint(signedWith(own, header, claims))).toEqual(hint)
    const foreign = generateSigningKey('ES256')
    const { x } = (await keySet()).keys.find((key) => key.kid === kid)!
    const fromPublic = { ...hmacKey(x!), kid: kid! }
    const { token: accessToken } = app.tokens.mintForClient({
      ...subject,
      generation: 0,
      scope: 'openid',
      resources: [],
    })
    const refused: Record<string, string> = {
      'an access token of Keyward': (await app.signUp('bob')).grant.access_token,
      'an access token of a client': accessToken,
      'a logout token': await app.tokens.mintLogoutToken({ alg: 'ES256', clientId, userId, sessionId }),
      'alg none': `${encode({ alg: 'none', typ: 'JWT' })}.${encode(claims)}.`,
      'alg none with the kid': `${encode({ alg: 'none', kid, typ: 'JWT' })}.${encode(claims)}.`,
      'a foreign key': signedWith(foreign, { alg: 'ES256', kid: foreign.kid, typ: 'JWT' }, claims),
      'a foreign key under our kid': signedWith(foreign, { alg: 'ES256', kid, typ: 'JWT' }, claims),
      'a foreign key in the header': signedWith(
        foreign,
        { alg: 'ES256', kid, typ: 'JWT', jwk: exportPublicJwk(foreign) },
        claims,
      ),
      'HS256 with the public key': signedWith(fromPublic, { alg: 'HS256', kid, typ: 'JWT' }, claims),
      'no kid': signedWith(own, { alg: own.alg, typ: 'JWT' }, claims),
      'another type': signedWith(own, { ...header, typ: 'at+jwt' }, claims),
      'another issuer': signedWith(own, header, { ...claims, iss: 'https://evil.example' }),
      'two audiences': signedWith(own, header, { ...claims, aud: [clientId] }),
      'no audience': signedWith(own, header, { ...claims, aud: undefined }),
      'no session': signedWith(own, header, { ...claims, sid: undefined }),
      'a subject that is no user': signedWith(own, header, { ...claims, sub: clientId }),
      'a changed payload': [idToken.split('.')[0], encode({ ...claims, sub: '2' }), idToken.split('.')[2]].join('.'),
      garbage: 'a.b.c',
      nothing: '',
    }
    for (const [what, token] of Object.entries(refused))
      expect([what, await app.tokens.readIdTokenHint(token)]).toEqual([what, undefined])

    await app.clock.advance(61 * MINUTE)
    expect(await app.tokens.readIdTokenHint(idToken)).toEqual({ ...hint, expired: true })
    // The last token of a retired key expires an hour later: the hint still counts.
    await app.keys.rotate({ early: true, idTokens: 'ES256' })
    await app.clock.advance(HOUR + 3 * MINUTE)
    expect((await keySet()).keys.map((key) => key.kid)).not.toContain(kid)
    expect(await app.tokens.readIdTokenHint(idToken)).toEqual({ ...hint, expired: true })
    const { kid: next } = decodeProtectedHeader(await app.tokens.mintIdToken({ ...subject, alg: 'ES256' }))
    expect(next).not.toBe(kid)
    // A key that leaked makes no hints.
    const fresh = await app.tokens.mintIdToken({ ...subject, alg: 'ES256' })
    await app.keys.revoke(next!)
    expect(await app.tokens.readIdTokenHint(fresh)).toBeUndefined()
    expect((await keySet()).keys.map((key) => key.kid)).not.toContain(next)
    expect(decodeProtectedHeader(await app.tokens.mintIdToken({ ...subject, alg: 'ES256' })).kid).not.toBe(next)
  })
})

describe.each([
  ['HS256', {}],
  ['JWT_COMPAT=fastapi', { JWT_COMPAT: 'fastapi' }],
])('with %s', (_, env) => {
  const secret = 'a-secret-for-hs256-only-0123456789-abcdef'
  const app = appPerTest({ env: { JWT_ALG: 'HS256', JWT_SECRET: secret, ...env } })

  test('E5: whoever knows JWT_SECRET can sign no hint, and an access token is none', async () => {
    const { id, grant } = await app.signUp()
    expect(await app.tokens.readIdTokenHint(grant.access_token)).toBeUndefined()
    const subject = { alg: 'RS256' as const, clientId, userId: id, sessionId: 'x', authTime: 0, amr: [] }
    const idToken = await app.tokens.mintIdToken(subject)
    expect(await app.tokens.readIdTokenHint(idToken)).toMatchObject({ clientId, userId: id })
    const key = hmacKey(secret)
    const forged = signedWith(key, { alg: 'HS256', kid: key.kid, typ: 'JWT' }, decodeJwt(idToken))
    expect(await app.tokens.readIdTokenHint(forged)).toBeUndefined()
    expect((await app.request('GET', '/users/me', { token: idToken })).status).toBe(401)
  })
})
