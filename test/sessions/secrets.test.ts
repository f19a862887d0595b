import { expect, test } from 'bun:test'
import { createHmac, generateKeyPairSync, sign } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { Secret } from 'otpauth'
import { createDeviceTokens } from '../../src/features/sessions/device-token.ts'
import { createRefreshTokens } from '../../src/features/sessions/refresh-token.ts'
import { createSessionMacs } from '../../src/features/sessions/session-mac.ts'
import { deriveKey, sha256 } from '../../src/lib/hash.ts'
import { enrol } from '../enrollment/support.ts'
import type { SignedUp, TestApp } from '../support/app.ts'
import { describeEachDialect, sqliteFile } from '../support/dialects.ts'
import { withApp } from '../support/hooks.ts'
import { audit, dataKey, decode, introspectionKey, loggedIn, login, me, refresh, refreshed } from './support.ts'

/** Every secret that one account is issued and types. */
async function secretsOfOneAccount(app: TestApp): Promise<string[]> {
  const secrets: string[] = []
  const ada = await app.signUp('ada', 'the first password of ada')
  const key = await introspectionKey(app)
  secrets.push(ada.password, key)
  const keep = (pair: object) =>
    secrets.push(...Object.values(pair).filter((one) => typeof one === 'string' && one.length > 20))
  keep(ada.grant)
  let pair = await loggedIn(app, ada, { device_token: ada.grant.device_token! })
  keep(pair)
  for (let turn = 0; turn < 3; turn++) {
    pair = { ...pair, ...(await refreshed(app, pair.refresh_token)) }
    keep(pair)
  }
  for (const token of [pair.access_token, pair.refresh_token, 'kwr_not-one-of-ours-at-all', 'eyJhbGciOiJub25lIn0.e30.'])
    await app.request('POST', '/introspect', { token: key, form: { token } })
  await app.request('GET', `/users/me?access_token=${pair.access_token}`, { token: pair.access_token })
  await app.request('GET', `/forward-auth?role=${pair.access_token}`, { token: pair.access_token })
  await app.request('DELETE', `/users/me/sessions/${pair.refresh_token}`, { token: pair.access_token })
  await login(app, { username: ada.username, password: 'a password mistyped' })
  await login(app, { username: 'a password typed as name', password: 'x' })
  const json = { current_password: ada.password, new_password: 'the second password of ada' }
  await app.request('PUT', '/users/me/password', { token: pair.access_token, json })
  await refresh(app, ada.grant.refresh_token!)
  await app.clock.advance(60_000)
  await refresh(app, secrets.find((one) => one.startsWith('kwr_'))!)
  await app.request('POST', '/revoke', { form: { token: pair.refresh_token } })
  await app.request('POST', '/logout', { token: pair.access_token })
  const bea = await app.signUp('bea', 'the password of bea')
  const { secret, recovery_codes: codes } = await enrol(app, bea.grant.access_token)
  secrets.push(`totp:${secret}`, ...codes!.map((code) => `code:${code}`))
  secrets.push('a password mistyped', 'a password typed as name', 'the second password of ada')
  return secrets
}

/** All stored data: every row, and for SQLite every byte of the file and of its log. */
async function everythingStored(app: TestApp): Promise<Buffer> {
  const rows = []
  for (const table of Object.values(app.rows)) rows.push(await table.all())
  const parts = [Buffer.from(JSON.stringify(rows))]
  if (app.databaseUrl.startsWith('sqlite:'))
    for (const suffix of ['', '-wal', '-shm']) {
      const path = sqliteFile(app.databaseUrl) + suffix
      if (existsSync(path)) parts.push(readFileSync(path))
    }
  return Buffer.concat(parts)
}

/** The forms in which a secret may be stored: whole, without prefix, its last part, and the bytes that it encodes. */
function spellings(secret: string): (string | Buffer)[] {
  const [, kind, value = ''] = /^(totp|code):(.+)$/.exec(secret) ?? []
  if (kind === 'totp') return [value, value.toLowerCase(), Buffer.from(Secret.fromBase32(value).bytes)]
  if (kind === 'code') return [value, value.replaceAll('-', ''), value.replaceAll('-', '').toUpperCase()]
  if (!/^(kwr_|kw_|eyJ)/.test(secret)) return [secret]
  const text = secret.replace(/^kwr?_/, '')
  const last = text.split('.').at(-1)!
  return [text, last.slice(-32), Buffer.from(last, 'base64url').subarray(-24)]
}

describeEachDialect('every secret that was issued or typed', (dialect) => {
  test('P1, P3, M8: is neither in any byte of the database nor in the log at level debug', () =>
    withApp({ dialect }, async (app) => {
      const secrets = await secretsOfOneAccount(app)
      expect(secrets.length).toBeGreaterThan(15)
      const stored = await everythingStored(app)
      const logged = Buffer.from(app.logs.join('\n'))
      // The search itself works: it finds data that is there.
      expect(stored.includes('ada@example.com')).toBe(true)
      expect(logged.includes('/users/me')).toBe(true)
      for (const secret of secrets)
        for (const spelling of spellings(secret)) {
          expect([secret, stored.includes(spelling)]).toEqual([secret, false])
          expect([secret, logged.includes(spelling)]).toEqual([secret, false])
        }
    }))
})

/** What an attacker learns about a session without the database: the claims of its access token. */
const sessionOf = ({ grant }: SignedUp) => {
  const { sid, gen, sub } = decode(grant.access_token).payload
  return { id: sid as string, generation: gen as number, userId: Number(sub) }
}

function jwt(header: object, payload: object, sign: (text: string) => Buffer): string {
  const text = [header, payload].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.')
  return `${text}.${sign(text).toString('base64url')}`
}

/** Access tokens with genuine claims, signed with each of these secrets or with a key of the attacker. */
function forgedAccessTokens(like: string, secrets: (string | Buffer)[]): string[] {
  const { header, payload } = decode(like)
  const own = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const es256 = (text: string) => sign('sha256', Buffer.from(text), { key: own.privateKey, dsaEncoding: 'ieee-p1363' })
  return [
    jwt(header, payload, es256),
    jwt({ ...header, jwk: own.publicKey.export({ format: 'jwk' }) }, payload, es256),
    jwt({ ...header, alg: 'none' }, payload, () => Buffer.alloc(0)),
    ...secrets.flatMap((secret) =>
      [header, { ...header, kid: undefined }].map((head) =>
        jwt({ ...head, alg: 'HS256' }, payload, (text) => createHmac('sha256', secret).update(text).digest()),
      ),
    ),
  ]
}

const apiKeyOf = (body: string) =>
  `kw_${body}${Buffer.from(sha256(`keyward api key\n${body}`))
    .toString('base64url')
    .slice(0, 6)}`

describeEachDialect('an attacker', (dialect) => {
  const victims = async (app: TestApp) => {
    const ada = await app.signUp('ada')
    const key = await introspectionKey(app)
    const session = await app.rows.sessions.one({ userId: ada.id })
    const device = { deviceId: session.deviceId!, userId: ada.id }
    return { ada, key, session, device }
  }
  const isKnownDevice = async (app: TestApp, ada: SignedUp, device_token: string) => {
    const before = (await audit(app, 'login.new_device')).length
    await loggedIn(app, ada, { device_token })
    return (await audit(app, 'login.new_device')).length === before
  }
  const takesApiKey = async (app: TestApp, token: string) =>
    (await app.request('POST', '/introspect', { token, form: { token: 'x' } })).status
  const devicesWith = (app: TestApp, key: Uint8Array) => createDeviceTokens({ macKeys: () => [key], clock: app.clock })
  const refreshTokensWith = (key: Uint8Array) => createRefreshTokens(createSessionMacs(() => [key]))
  /** What an attacker would derive from a secret, were the keys of MACs derived from it. */
  const derived = (secret: string, purpose: string) => deriveKey(secret, `keyward ${purpose} token v1`)

  test('with only a copy of the database cannot make a valid token', () =>
    withApp({ dialect }, async (app) => {
      const { ada, session, device } = await victims(app)
      const { generation } = session
      const found = (await everythingStored(app)).toString('latin1')
      const apiKeys = await app.rows.apiKeys.all()
      const signingKeys = await app.rows.signingKeys.all()
      for (const guess of ['', 'SECRET_KEY', session.macSalt, signingKeys[0]!.kid])
        for (const ahead of [0, 1])
          expect(
            (await refresh(app, refreshTokensWith(derived(guess, 'refresh'))(session).make(generation + ahead))).status,
          ).toBe(401)
      const words = [...new Set(found.match(/[\w-]{40,120}/g) ?? [])].slice(0, 60)
      for (const token of forgedAccessTokens(ada.grant.access_token, words)) expect(await me(app, token)).toBe(401)
      for (const { mac } of apiKeys)
        for (const token of [mac, `kw_${mac}`, apiKeyOf(mac.slice(0, 32)), apiKeyOf(mac.slice(-32))])
          expect(await takesApiKey(app, token)).toBe(401)
      for (const guess of ['', session.macSalt])
        expect(await isKnownDevice(app, ada, await devicesWith(app, derived(guess, 'device')).make(device))).toBe(false)
    }))

  test('with only SECRET_KEY cannot make a valid token', () =>
    withApp({ dialect }, async (app) => {
      const { ada } = await victims(app)
      const secret = app.config.SECRET_KEY
      const { id, generation, userId } = sessionOf(ada)
      for (const macSalt of ['', id, Buffer.alloc(16).toString('base64url')])
        for (const ahead of [0, 1])
          expect(
            (
              await refresh(
                app,
                refreshTokensWith(derived(secret, 'refresh'))({ id, macSalt }).make(generation + ahead),
              )
            ).status,
          ).toBe(401)
      const jwks = await (await app.request('GET', '/.well-known/jwks.json')).text()
      const { keys } = JSON.parse(jwks) as { keys: { kid: string; x: string }[] }
      const guesses = [secret, ...keys.flatMap(({ kid, x }) => [kid, x]), jwks, sha256(secret) as Buffer]
      for (const token of forgedAccessTokens(ada.grant.access_token, guesses)) expect(await me(app, token)).toBe(401)
      for (const body of [secret.slice(0, 32), 'A'.repeat(32)]) expect(await takesApiKey(app, apiKeyOf(body))).toBe(401)
      for (const deviceId of ['', id, 'x'])
        expect(
          await isKnownDevice(app, ada, await devicesWith(app, derived(secret, 'device')).make({ deviceId, userId })),
        ).toBe(false)
    }))

  // Otherwise the two tests above might be refused because of a mistake in the forgery.
  test('with both can make refresh and device tokens, which shows that these tests would find a hole', () =>
    withApp({ dialect }, async (app) => {
      const { ada, key, session, device } = await victims(app)
      expect(await takesApiKey(app, apiKeyOf(key.slice(3, 35)))).toBe(200)
      expect(
        await isKnownDevice(app, ada, await devicesWith(app, await dataKey(app, 'device_token')).make(device)),
      ).toBe(true)
      await refreshed(app, refreshTokensWith(await dataKey(app, 'refresh_token'))(session).make(session.generation))
    }))
})
