import { expect, test } from 'bun:test'
import { decodeJwt } from 'jose'
import { HOUR, MINUTE } from '../../src/lib/clock.ts'
import { sealedWith, secretId } from '../../src/lib/seal.ts'
import { answered, person } from '../administration/support.ts'
import { type TestApp, testSecret } from '../support/app.ts'
import { keyward } from '../support/cli.ts'
import { describeEachDialect } from '../support/dialects.ts'
import { appsPerTest } from '../support/hooks.ts'
import { expectRefusal } from '../support/refusal.ts'
import { watchStatements } from '../support/replace.ts'
import { headerOf, publishedKids, statusOf } from './support.ts'

const newSecret = 'only-for-tests-too-c8d1a6e0b94f7325'

describeEachDialect('the keys of ID tokens', (dialect) => {
  const apps = appsPerTest()

  const subject = { clientId: 'kwa_abcdefghijklmnopqrst', userId: 1, sessionId: 'x', authTime: 0, amr: [] }
  const mint = (app: TestApp, alg: 'RS256' | 'EdDSA' = 'EdDSA') => app.tokens.mintIdToken({ ...subject, alg })
  const kidOf = async (app: TestApp) => headerOf(await mint(app)).kid
  const rows = (app: TestApp, alg = 'EdDSA') => app.rows.signingKeys.all({ alg })
  const beside = (app: TestApp, env: Record<string, string> = {}) =>
    apps.open({ databaseUrl: app.databaseUrl, clock: app.clock, env })

  test('are made once when they are first needed, by one of two processes, and published by both', async () => {
    const first = await apps.open({ dialect })
    const second = await beside(first)
    expect(await publishedKids(first)).toHaveLength(2)
    const tokens = await Promise.all([first, second, first, second].map((app) => mint(app, 'RS256')))
    expect(new Set(tokens.map((token) => headerOf(token).kid)).size).toBe(1)
    expect(
      (await rows(first, 'RS256')).map(({ state, activeSlot, nextSlot }) => [state, activeSlot, nextSlot]).sort(),
    ).toEqual([
      ['active', 'id_token:RS256', null],
      ['next', null, 'id_token:RS256'],
    ])
    for (const app of [first, second]) {
      const kids = await publishedKids(app)
      expect([kids.length, kids[0]]).toEqual([4, app.keys.signing().kid])
      expect(kids).toContain(headerOf(tokens[0]!).kid)
      // A hint that the other process signed.
      expect(await app.tokens.readIdTokenHint(tokens[1]!)).toMatchObject({ userId: 1 })
    }
    const keyEvents = await first.rows.auditEvents.all({ event: 'key.created' })
    expect(keyEvents).toHaveLength(4)
  })

  test('are in the key set of every process before one of their tokens is, and every process reads their hints', async () => {
    let isAway = false
    const store = watchStatements((sql) => {
      if (isAway && sql.includes('from "signing_keys"')) throw new Error('away')
    })
    const first = await apps.open({ dialect })
    const second = await beside(first)
    const third = await apps.open({ databaseUrl: first.databaseUrl, clock: first.clock, replace: { store } })
    const token = await mint(first)
    expect(await publishedKids(second)).toContain(headerOf(token).kid)
    expect(await third.tokens.readIdTokenHint(token)).toMatchObject({ userId: 1 })
    // A new key replaces a revoked one at once.
    await second.keys.revoke(headerOf(token).kid)
    const another = await mint(second)
    expect(await publishedKids(third)).toContain(headerOf(another).kid)
    // What a process has read goes on without the database.
    isAway = true
    expect(await publishedKids(third)).toContain(headerOf(another).kid)
  })

  test('E14: are rotated by age, by command and over HTTP, beside the key of access tokens', async () => {
    const app = await apps.open({ dialect, env: { KEY_ROTATION_DAYS: '1', ID_TOKEN_MINUTES: '240' } })
    const boss = await person(app, 'boss', 'admin')
    const own = app.keys.signing().kid
    const first = await kidOf(app)
    const [next] = (await rows(app)).filter(({ state }) => state === 'next')
    await expectRefusal(
      await app.request('POST', '/admin/keys/rotate', { token: boss.token, json: { id_tokens: 'EdDSA' } }),
      'key_not_ready',
    )
    await app.clock.advance(12 * MINUTE)
    const rotate = (json: object) => app.request('POST', '/admin/keys/rotate', { token: boss.token, json })
    const done = await answered<{ retired: { until: string } }>(rotate({ id_tokens: 'EdDSA' }))
    // The last ID token of the former key is valid for 4 hours, and 2 minutes are added.
    expect(done).toMatchObject({ active: next!.kid, retired: { kid: first, until: '2026-01-01T04:14:00.000Z' } })
    expect([await kidOf(app), app.keys.signing().kid]).toEqual([next!.kid, own])
    await expectRefusal(await rotate({ id_tokens: 'RS256', now: true }), 'key_not_found')
    await expectRefusal(await rotate({ id_tokens: 'HS256' }), 'validation_failed')

    const { databaseUrl, clock } = app
    const command = (...argv: string[]) => keyward(['signing-keys', ...argv], { databaseUrl, clock })
    const { code, out } = await command('rotate', '--id-tokens', 'EdDSA', '--now')
    expect(code).toBe(0)
    const active = /Active: +(\S+)/.exec(out)![1]!
    const { out: listed80 } = await command('list')
    expect(listed80).toMatch(new RegExp(`${active}  EdDSA\\*  active   [^\\n]*Z\\n`))
    expect(listed80).toEndWith('* signs ID tokens and logout tokens; the others are for access tokens\n')
    expect(Math.max(...listed80.split('\n').map((line) => line.length))).toBeLessThan(80)
    const listed = (
      await answered<{ items: { kid: string; signs: string }[] }>(
        app.request('GET', '/admin/keys', { token: boss.token }),
      )
    ).items
    expect(Object.fromEntries(listed.map(({ kid, signs }) => [kid, signs]))).toMatchObject({
      [own]: 'access_tokens',
      [active]: 'id_tokens',
      [first]: null,
    })
    await app.keys.reload()
    expect(await kidOf(app)).toBe(active)

    await app.clock.advance(25 * HOUR)
    await app.process.maintainSecrets()
    expect(await kidOf(app)).not.toBe(active)
    expect(app.keys.signing().kid).not.toBe(own)
  })

  test('E14: are revoked, and replaced at once, without a change of the key of access tokens', async () => {
    const app = await apps.open({ dialect })
    const { grant } = await app.signUp()
    const token = await mint(app)
    const { kid } = headerOf(token)
    await app.keys.revoke(kid)
    expect(await publishedKids(app)).not.toContain(kid)
    expect(await app.tokens.readIdTokenHint(token)).toBeUndefined()
    expect(await kidOf(app)).not.toBe(kid)
    const after = await rows(app)
    expect(after.map(({ state }) => state).sort()).toEqual(['active', 'next', 'revoked'])
    const [waiting] = after.filter(({ state }) => state === 'next')
    await app.keys.revoke(waiting!.kid)
    expect((await rows(app)).filter(({ state }) => state === 'next')).toHaveLength(1)
    expect(await statusOf(app, grant.access_token)).toBe(200)
    // The key of access tokens is replaced without those of ID tokens, too.
    const idKey = await kidOf(app)
    await app.keys.revoke(headerOf(grant.access_token).kid)
    expect(await kidOf(app)).toBe(idKey)
    expect(app.keys.signing().alg).toBe('ES256')
  })

  test('stay as they are when JWT_ALG changes, also to HS256', async () => {
    const before = await apps.open({ dialect })
    const token = await mint(before)
    const secret = { JWT_ALG: 'HS256', JWT_SECRET: 'a-secret-for-hs256-only-0123456789-abcdef' }
    for (const env of [{ JWT_ALG: 'EdDSA' }, secret]) {
      const app = await beside(before, env)
      expect(await kidOf(app)).toBe(headerOf(token).kid)
      expect(await app.tokens.readIdTokenHint(token)).toMatchObject({ sessionId: 'x' })
    }
    expect((await rows(before)).filter(({ activeSlot }) => activeSlot === 'id_token:EdDSA')).toHaveLength(1)
  })

  test('P2: are re-encrypted with SECRET_KEY, and a start with another one is refused', async () => {
    const before = await apps.open({ dialect })
    const kid = await kidOf(before)
    const between = await beside(before, { SECRET_KEY: newSecret, SECRET_KEY_PREVIOUS: testSecret })
    await before.rows.processes.remove({ secretId: secretId(testSecret) })
    await between.process.maintainSecrets()
    expect((await rows(between)).map((row) => sealedWith(row.sealedPrivateKey))).toEqual(
      Array(2).fill(secretId(newSecret)),
    )
    const after = await beside(before, { SECRET_KEY: newSecret })
    expect(await kidOf(after)).toBe(kid)
    const id = decodeJwt(await mint(after))
    expect(id.iss).toBe('http://localhost:8000')

    const [active] = (await rows(after)).filter(({ state }) => state === 'active')
    const damaged = `${active!.sealedPrivateKey.slice(0, -4)}AAAA`
    await after.rows.signingKeys.change({ kid }, { sealedPrivateKey: damaged })
    await expect(beside(before, { SECRET_KEY: newSecret })).rejects.toThrow('SECRET_KEY')
    const { databaseUrl, clock } = before
    const env = { SECRET_KEY: newSecret }
    expect((await keyward(['doctor'], { databaseUrl, clock, env })).out).toContain(kid)
  })
})
