import { expect, test } from 'bun:test'
import { createECDH, createPrivateKey } from 'node:crypto'
import { generateSigningKey, hmacKey, type SigningKey } from '../../src/features/signing-keys/jwk.ts'
import { sign } from '../../src/features/tokens/jws.ts'
import { SECOND } from '../../src/lib/clock.ts'
import { deriveKey } from '../../src/lib/hash.ts'
import { sealedWith, secretId, unseal } from '../../src/lib/seal.ts'
import { type TestApp, testSecret } from '../support/app.ts'
import { keyward } from '../support/cli.ts'
import { describeEachDialect } from '../support/dialects.ts'
import { appsPerTest } from '../support/hooks.ts'
import { headerOf, logIn, publishedKids, statusOf } from './support.ts'

const newSecret = 'only-for-tests-too-c8d1a6e0b94f7325'

describeEachDialect('stored signing keys', (dialect) => {
  const apps = appsPerTest()

  const rows = (app: TestApp) => app.rows.signingKeys.all()
  const restart = (former: TestApp, env: Record<string, string>) =>
    apps.open({ databaseUrl: former.databaseUrl, clock: former.clock, env })

  test('P2: are re-encrypted with SECRET_KEY while SECRET_KEY_PREVIOUS is set, and nobody is logged out', async () => {
    const before = await apps.open({ dialect })
    const { grant } = await before.signUp()
    const between = await restart(before, { SECRET_KEY: newSecret, SECRET_KEY_PREVIOUS: testSecret })
    const sealedBy = async () => (await rows(between)).map((row) => sealedWith(row.sealedPrivateKey))
    // A replica runs that could not open them then.
    expect(await sealedBy()).toEqual(Array(2).fill(secretId(testSecret)))
    await before.rows.processes.remove({ secretId: secretId(testSecret) })
    await between.process.maintainSecrets()
    expect(await sealedBy()).toEqual(Array(2).fill(secretId(newSecret)))
    const token = await logIn(between)
    // A replica that was not restarted yet has the decrypted key in memory.
    expect([await statusOf(before, token), await statusOf(between, grant.access_token)]).toEqual([200, 200])

    const after = await restart(before, { SECRET_KEY: newSecret })
    expect(await statusOf(after, grant.access_token)).toBe(200)
    expect(headerOf(await logIn(after)).kid).toBe(headerOf(grant.access_token).kid)
  })

  test('a new key is sealed so that a replica with only the former SECRET_KEY opens it', async () => {
    const late = await apps.open({ dialect, jobs: true })
    await late.signUp()
    const early = await restart(late, { SECRET_KEY: newSecret, SECRET_KEY_PREVIOUS: testSecret })
    for (let turn = 0; turn < 2; turn++) await early.keys.rotate({ early: true })
    await late.passTime(30 * SECOND)
    expect(late.logs.filter((line) => line.includes('signing_key_unreadable'))).toEqual([])
    expect(headerOf(await logIn(late)).kid).toBe(headerOf(await logIn(early)).kid)
  })

  test('a replica that nobody knew to run logs when it cannot open the key that signs, and keeps serving', async () => {
    const late = await apps.open({ dialect, jobs: true })
    await late.signUp()
    await late.rows.processes.remove()
    const early = await restart(late, { SECRET_KEY: newSecret, SECRET_KEY_PREVIOUS: testSecret })
    await early.keys.rotate({ early: true })
    await late.passTime(30 * SECOND)
    expect(late.logs.filter((line) => line.includes('signing_key_unreadable'))).not.toEqual([])
    for (const token of [await logIn(late), await logIn(early)])
      expect([await statusOf(late, token), await statusOf(early, token)]).toEqual([200, 200])
  })

  test('another SECRET_KEY is refused with a remedy, by commands that create keys too, and changes nothing', async () => {
    const app = await apps.open({ dialect })
    const before = await rows(app)
    await expect(restart(app, { SECRET_KEY: newSecret })).rejects.toThrow(
      'This SECRET_KEY does not open the signing keys in the database. Start with the former SECRET_KEY, or set it as SECRET_KEY_PREVIOUS beside the new one. If it is lost, see “The secret key” in the chapter “Security” of the guide.',
    )
    for (const argv of [
      ['keys', 'rotate', '--now'],
      ['keys', 'revoke', before[0]!.kid],
    ]) {
      const { code, err } = await keyward(argv, { databaseUrl: app.databaseUrl, env: { SECRET_KEY: newSecret } })
      expect([code, err]).toEqual([1, expect.stringContaining('This SECRET_KEY does not open the signing keys')])
    }
    expect(await rows(app)).toEqual(before)
  })

  test('a start that finds its port taken stores no key, so that a wrong SECRET_KEY leaves nothing behind', async () => {
    const app = await apps.open({ dialect })
    // As on a database that is migrated and was never served.
    await app.rows.signingKeys.remove()
    await app.rows.dataKeys.remove()
    using other = Bun.serve({ hostname: '127.0.0.1', port: 0, fetch: () => new Response() })
    const env = { SECRET_KEY: newSecret, HOST: '127.0.0.1', PORT: String(other.port) }
    const { code, err } = await keyward(['serve', '--dev'], { databaseUrl: app.databaseUrl, env })
    expect([code, err]).toEqual([1, expect.stringContaining('another program uses this port')])
    expect(await app.rows.dataKeys.count()).toBe(0)
    await restart(app, {})
  })

  test('after the loss of SECRET_KEY, deleting the keys as in the guide ends all sessions and keeps all accounts', async () => {
    const before = await apps.open({ dialect })
    const { grant } = await before.signUp()
    await before.rows.signingKeys.remove()
    await before.rows.dataKeys.remove()
    const after = await restart(before, { SECRET_KEY: newSecret })
    expect(await statusOf(after, grant.access_token)).toBe(401)
    const lost = await after.request('POST', '/token/refresh', { json: { refresh_token: grant.refresh_token } })
    expect(lost.status).toBe(401)
    expect(await statusOf(after, await logIn(after))).toBe(200)
  })

  test('P2: a private key moved to another row cannot be decrypted', async () => {
    const app = await apps.open({ dialect })
    const [one, two] = await rows(app)
    await app.rows.signingKeys.change({ kid: one!.kid }, { sealedPrivateKey: two!.sealedPrivateKey })
    await expect(restart(app, {})).rejects.toThrow('This SECRET_KEY does not open the signing keys')
  })

  test('a key that no longer signs has no private part', async () => {
    const app = await apps.open({ dialect })
    const [first, second] = await publishedKids(app)
    await keyward(['keys', 'rotate', '--now'], { databaseUrl: app.databaseUrl })
    await keyward(['keys', 'revoke', second!], { databaseUrl: app.databaseUrl })
    const erased = (await rows(app)).filter(({ sealedPrivateKey }) => sealedPrivateKey === '')
    expect(erased.map(({ kid, state }) => [kid, state]).sort()).toEqual(
      [
        [first!, 'retired'],
        [second!, 'revoked'],
      ].sort(),
    )
  })

  test('P2: neither a copy of the database nor SECRET_KEY alone is enough to forge a token', async () => {
    const app = await apps.open({ dialect })
    const { grant } = await app.signUp()
    expect(await statusOf(app, grant.access_token)).toBe(200)
    const { kid } = headerOf(grant.access_token)
    const claims = JSON.parse(Buffer.from(grant.access_token.split('.')[1]!, 'base64url').toString())
    const forge = (key: SigningKey, typ = 'at+jwt') => sign({ ...key, kid }, claims, typ)
    // All claims are right and only the key is missing; the real key is accepted.
    expect(await statusOf(app, forge(app.keys.signing()))).toBe(200)

    const stored = await rows(app)
    const fromTheDatabase = stored.flatMap((row) => {
      const jwk = JSON.parse(row.publicJwk) as Record<string, string>
      const texts = [...Object.values(row).map(String), ...Object.values(jwk), secretId(row.kid)]
      const secrets = texts.filter((text) => text.length >= 32)
      expect(unseal(texts, `signing_keys.private_key:${row.kid}`, row.sealedPrivateKey)).toBeUndefined()
      return secrets.map(hmacKey)
    })
    const fromTheSecret = [
      testSecret,
      ...['keyward seal v1', 'signing_keys', 'jwt', kid].map((purpose) =>
        Buffer.from(deriveKey(testSecret, purpose)).toString('hex'),
      ),
    ].map(hmacKey)
    const fromNothing = [generateSigningKey('ES256'), generateSigningKey('EdDSA')]
    for (const key of [...fromTheDatabase, ...fromTheSecret, ...fromNothing])
      expect([key.alg, await statusOf(app, forge(key))]).toEqual([key.alg, 401])
    expect(fromTheDatabase.length).toBeGreaterThan(8)

    // A private key derived from SECRET_KEY would need no database.
    const pair = createECDH('prime256v1')
    pair.setPrivateKey(Buffer.from(deriveKey(testSecret, 'keyward seal v1')))
    const [d, x, y] = [pair.getPrivateKey(), pair.getPublicKey().subarray(1, 33), pair.getPublicKey().subarray(33)].map(
      (bytes) => bytes.toString('base64url'),
    )
    const guessed = createPrivateKey({ key: { kty: 'EC', crv: 'P-256', d, x, y }, format: 'jwk' })
    expect(await statusOf(app, forge({ alg: 'ES256', kid, key: guessed }))).toBe(401)
  })
})
