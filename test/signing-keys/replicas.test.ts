import { expect, test } from 'bun:test'
import { SECOND } from '../../src/lib/clock.ts'
import { keyward } from '../support/cli.ts'
import { describeEachDialect } from '../support/dialects.ts'
import { appsPerTest } from '../support/hooks.ts'
import { headerOf, logIn, publishedKids, statusOf } from './support.ts'

describeEachDialect('replicas', (dialect) => {
  const apps = appsPerTest()

  test('that start together share one key, and accept each other’s tokens', async () => {
    const { url, dispose } = await dialect.databaseUrl()
    // In one process, two that migrate one file would deadlock; test/binary starts several processes.
    expect((await keyward(['migrate', 'up'], { databaseUrl: url })).code).toBe(0)
    const replicas = await Promise.all(Array.from({ length: 4 }, () => apps.open({ databaseUrl: url })))
    const [first] = replicas
    const { grant } = await first!.signUp()
    const tokens = [grant.access_token, ...(await Promise.all(replicas.map((replica) => logIn(replica))))]
    for (const replica of replicas) {
      expect(await publishedKids(replica)).toEqual(await publishedKids(first!))
      for (const token of tokens) expect(await statusOf(replica, token)).toBe(200)
    }
    await apps.closeAll()
    await dispose()
  })

  test('accept at once a token of a key that they have not loaded', async () => {
    const first = await apps.open({ dialect })
    await first.signUp()
    const second = await apps.open({ databaseUrl: first.databaseUrl })
    await first.keys.rotate({ early: true })
    await first.keys.rotate({ early: true })
    const token = await logIn(first)
    expect(second.keys.find(headerOf(token).kid)).toBeUndefined()
    const answers = await Promise.all(Array.from({ length: 8 }, () => statusOf(second, token)))
    expect(answers).toEqual(Array(8).fill(200))
  })

  test('refuse unknown kids, and load the keys for them only once at a time', async () => {
    const app = await apps.open({ dialect })
    const { grant } = await app.signUp()
    const [, payload, signature] = grant.access_token.split('.')
    const forge = (kid: string) =>
      `${Buffer.from(JSON.stringify({ alg: 'ES256', kid, typ: 'at+jwt' })).toString('base64url')}.${payload}.${signature}`
    const answers = await Promise.all(Array.from({ length: 40 }, (_, i) => statusOf(app, forge(`kid ${i}`))))
    expect(answers).toEqual(Array(40).fill(401))

    const [running, ...waiting] = Array.from({ length: 40 }, () => app.keys.reload())
    expect(waiting[0]).not.toBe(running!)
    expect(new Set(waiting).size).toBe(1)
    await Promise.all([running, ...waiting])
  })

  test('refuse a revoked key: the one that revoked at once, the others within 30 seconds', async () => {
    const first = await apps.open({ dialect, jobs: true })
    const second = await apps.open({ databaseUrl: first.databaseUrl, clock: first.clock, jobs: true })
    const { grant } = await first.signUp()
    const old = grant.access_token
    // Both have it in their cache of verified tokens.
    expect([await statusOf(first, old), await statusOf(second, old)]).toEqual([200, 200])

    const { active } = await first.keys.revoke(headerOf(old).kid)
    expect(await statusOf(first, old)).toBe(401)
    expect(await publishedKids(first)).not.toContain(headerOf(old).kid)
    const fresh = await logIn(first)
    expect(headerOf(fresh).kid).toBe(active!)
    expect(await statusOf(second, fresh)).toBe(200)
    await second.passTime(30 * SECOND)
    expect(await statusOf(second, old)).toBe(401)
    expect(await publishedKids(second)).toEqual(await publishedKids(first))
    expect(headerOf(await logIn(second)).kid).toBe(active!)

    const refreshed = await second.request('POST', '/token/refresh', {
      json: { refresh_token: grant.refresh_token },
    })
    expect(refreshed.status).toBe(200)
  })

  test('revoke the active key once, even in 12 parallel requests, and one key signs', async () => {
    const first = await apps.open({ dialect })
    await first.signUp()
    const second = await apps.open({ databaseUrl: first.databaseUrl })
    const [kid, next] = await publishedKids(first)
    const outcomes = await Promise.allSettled(
      Array.from({ length: 12 }, (_, i) => [first, second][i % 2]!.keys.revoke(kid!)),
    )
    const done = outcomes.flatMap((one) => (one.status === 'fulfilled' && !one.value.already ? [one.value] : []))
    expect(done).toEqual([{ kid: kid!, already: false, active: next! }])
    await second.keys.reload()
    expect(headerOf(await logIn(second)).kid).toBe(next!)
    expect(await publishedKids(second)).toEqual([next!, expect.any(String)])
  })

  test('revoke only the next or retired key that was named, and report an unknown one', async () => {
    const app = await apps.open({ dialect })
    const { grant } = await app.signUp()
    const [active, next] = await publishedKids(app)
    await app.keys.revoke(next!)
    const [signs, another] = await publishedKids(app)
    expect([signs, another]).toEqual([active!, expect.not.stringMatching(next!)])

    await app.keys.rotate({ early: true })
    expect(await statusOf(app, grant.access_token)).toBe(200)
    await app.keys.revoke(active!)
    expect(await statusOf(app, grant.access_token)).toBe(401)
    expect((await publishedKids(app))[0]).toBe(another!)
    expect(await app.keys.revoke(active!)).toMatchObject({ already: true })
    await expect(app.keys.revoke('nobody')).rejects.toMatchObject({ code: 'key_not_found' })
  })
})
