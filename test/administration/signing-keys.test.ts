import { expect, test } from 'bun:test'
import { MINUTE } from '../../src/lib/clock.ts'
import { refreshed } from '../sessions/support.ts'
import { headerOf, logIn, publishedKids, statusOf } from '../signing-keys/support.ts'
import type { TestApp } from '../support/app.ts'
import { describeEachDialect } from '../support/dialects.ts'
import { appsPerTest, describeApp, withApp } from '../support/hooks.ts'
import { expectRefusal } from '../support/refusal.ts'
import { transactionGate } from '../support/replace.ts'
import { acts, answered, type Person, person, tokenOf } from './support.ts'

const ip = '192.0.2.1'

interface KeyAnswer {
  kid: string
  alg: string
  state: string
  [time: string]: string | null
}

type By = Pick<Person, 'token'>

const list = async (app: TestApp, { token }: By) =>
  (await answered<{ items: KeyAnswer[] }>(app.request('GET', '/admin/keys', { token }))).items
const rotate = (app: TestApp, { token }: By, json?: object) =>
  app.request('POST', '/admin/keys/rotate', { token, ...(json && { json }) })
const revoke = (app: TestApp, { token }: By, kid: string) => app.request('POST', `/admin/keys/${kid}/revoke`, { token })
const byState = (keys: readonly KeyAnswer[]) => Object.fromEntries(keys.map(({ state, kid }) => [state, kid]))

const gate = transactionGate()

describeApp('the signing keys over HTTP', { replace: { store: gate.replacement } }, (app) => {
  test('14.1 are listed with their states and times, and without anything private', async () => {
    const boss = await person(app, 'boss', 'admin')
    const keys = await list(app, boss)
    const none = { retired_at: null, expires_at: null, revoked_at: null }
    const created = { alg: 'ES256', signs: 'access_tokens', created_at: '2026-01-01T00:00:00.000Z', ...none }
    expect(keys.map(({ kid: _, ...rest }) => rest).sort((a, b) => (a.state! < b.state! ? -1 : 1))).toEqual([
      {
        ...created,
        state: 'active',
        ready_at: null,
        activated_at: '2026-01-01T00:00:00.000Z',
        rotates_at: '2026-04-01T00:00:00.000Z',
      },
      { ...created, state: 'next', ready_at: '2026-01-01T00:11:00.000Z', activated_at: null, rotates_at: null },
    ])
    expect(keys.map(({ kid }) => kid).sort()).toEqual((await publishedKids(app)).sort())
    const said = JSON.stringify(keys)
    for (const { sealedPrivateKey, publicJwk } of await app.rows.signingKeys.all()) {
      expect(sealedPrivateKey.length).toBeGreaterThan(40)
      expect(said).not.toContain(sealedPrivateKey)
      expect(publicJwk).not.toContain('"d"')
    }
  })

  test('14.1 rotate, which logs nobody out, and only once the next key was published long enough', async () => {
    const boss = await person(app, 'boss', 'admin')
    const { active, next } = byState(await list(app, boss))
    await expectRefusal(await rotate(app, boss), 'key_not_ready')
    for (const wrong of [{ now: 'yes' }, { now: 1 }])
      await expectRefusal(await rotate(app, boss, wrong), 'validation_failed')
    expect(await acts(app)).toEqual([])
    await app.clock.advance(12 * MINUTE)
    const rotated = await answered<Record<string, unknown>>(rotate(app, boss))
    expect(rotated).toMatchObject({ active: next, retired: { kid: active, until: expect.any(String) } })
    expect(headerOf(await tokenOf(app, boss)).kid).toBe(next!)
    expect(await statusOf(app, boss.token)).toBe(200)
    expect<object>(byState(await list(app, boss))).toEqual({ retired: active, active: next, next: rotated.next })
    // At once, if one wants it so.
    const again = await answered<Record<string, unknown>>(rotate(app, boss, { now: true }))
    expect(again.active).toBe(rotated.next)
    const by = { userId: null, actorId: boss.id, ip }
    const facts = (kid: unknown) => ({ kid, alg: 'ES256' })
    expect((await acts(app)).slice(0, 3)).toEqual([
      { event: 'key.retired', ...by, details: facts(active) },
      { event: 'key.activated', ...by, details: facts(next) },
      { event: 'key.created', ...by, details: facts(rotated.next) },
    ])
    expect(await acts(app)).toHaveLength(6)
  })

  test('14.1 revoke ends every access token of the key, and no session', async () => {
    const boss = await person(app, 'boss', 'admin')
    const { active, next } = byState(await list(app, boss))
    const revoked = await answered<object>(revoke(app, boss, active!))
    expect(revoked).toEqual({ kid: active, active: next })
    expect(await statusOf(app, boss.token)).toBe(401)
    expect(await publishedKids(app)).not.toContain(active)
    const { access_token: token } = await refreshed(app, boss.grant.refresh_token!)
    expect([headerOf(token).kid, await statusOf(app, token)]).toEqual([next!, 200])
    const written = (await acts(app)).length
    expect(await answered<object>(revoke(app, { token }, active!))).toEqual({ kid: active, active: null })
    for (const kid of ['none', 'x'.repeat(300), 'rotate'])
      await expectRefusal(await revoke(app, { token }, kid), 'key_not_found')
    expect((await acts(app)).map(({ event, actorId }) => [event, actorId])).toEqual([
      ['key.revoked', boss.id],
      ['key.activated', boss.id],
      ['key.created', boss.id],
    ])
    expect(written).toBe(3)
  })

  test('14.1 the right is checked again in the transaction of the change', async () => {
    await person(app, 'boss', 'admin')
    const keeper = await person(app, 'keeper', 'keys:write keys:read')
    const { active } = byState(await list(app, keeper))
    const before = await app.rows.signingKeys.all()
    for (const send of [() => rotate(app, keeper, { now: true }), () => revoke(app, keeper, active!)]) {
      const demote = () => app.rows.userRoles.remove({ userId: keeper.id })
      await expectRefusal(await gate.pass(send, demote), 'forbidden')
      await app.admin.giveRole(keeper.id, 'role-of-keeper')
    }
    expect(await app.rows.signingKeys.all()).toEqual(before)
    expect(await acts(app)).toEqual([])
  })
})

test('14.1 the key of HS256 is neither rotated nor revoked over HTTP, and never shown', async () => {
  const secret = 'an-hmac-secret-of-the-old-service-9f2m4x8q'
  await withApp({ env: { JWT_ALG: 'HS256', JWT_SECRET: secret } }, async (app) => {
    const boss = await person(app, 'boss', 'admin')
    const keys = await list(app, boss)
    expect(keys).toMatchObject([{ alg: 'HS256', state: 'active', rotates_at: null }])
    expect(JSON.stringify(keys)).not.toContain(secret)
    await expectRefusal(await rotate(app, boss, { now: true }), 'key_not_rotatable')
    await expectRefusal(await revoke(app, boss, keys[0]!.kid), 'key_not_rotatable')
  })
})

describeEachDialect('the signing keys of several processes', (dialect) => {
  const apps = appsPerTest()

  test('14.1 of two rotations at the same moment, one is 409 or they follow each other, and one key signs', async () => {
    const first = await apps.open({ dialect })
    const second = await apps.open({ databaseUrl: first.databaseUrl, clock: first.clock, dialect })
    const boss = await person(first, 'boss', 'admin')
    const answers = await Promise.all([first, second].map((app) => rotate(app, boss, { now: true })))
    const statuses = answers.map(({ status }) => status).sort()
    expect([
      [200, 200],
      [200, 409],
    ]).toContainEqual(statuses)
    for (const answer of answers) if (answer.status === 409) await expectRefusal(answer, 'keys_changed')
    const states = (await list(first, boss)).map(({ state }) => state).sort()
    expect(states.filter((state) => state !== 'retired')).toEqual(['active', 'next'])
    expect(await statusOf(first, await logIn(first, 'boss'))).toBe(200)
  })
})
