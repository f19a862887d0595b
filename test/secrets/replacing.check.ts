import { expect, test } from 'bun:test'
import { purposes } from '../../src/features/secrets/purposes.ts'
import { MINUTE, SECOND } from '../../src/lib/clock.ts'
import { sealedWith, secretId } from '../../src/lib/seal.ts'
import type { Store } from '../../src/storage/store.ts'
import { turns } from '../sessions/support.ts'
import { type TestApp, testSecret } from '../support/app.ts'
import { keyward } from '../support/cli.ts'
import { describeEachDialect } from '../support/dialects.ts'
import { appsPerTest } from '../support/hooks.ts'
import { watchStatements } from '../support/replace.ts'
import { ada, expectNothingLost, type Held, logIn, refresh } from './scenario.ts'

const newSecret = 'only-for-tests-too-c8d1a6e0b94f7325'
const steps: Record<string, string>[] = [
  { SECRET_KEY: testSecret, SECRET_KEY_PREVIOUS: newSecret },
  { SECRET_KEY: newSecret, SECRET_KEY_PREVIOUS: testSecret },
  { SECRET_KEY: newSecret },
]

describeEachDialect('two processes of one database', (dialect) => {
  const apps = appsPerTest()

  /** An app that is not one of the two, and owns the database. Nobody knows it to run. */
  async function setUp() {
    const owner = await apps.open({ dialect })
    await owner.process.maintainSecrets()
    await owner.rows.processes.remove()
    const { id } = await owner.signUp('ada', ada.password)
    await owner.admin.giveRole(id, 'admin')
    const { text } = await owner.admin.createApiKey({ owner: id, scopes: ['tokens:introspect'] })
    const pair = await logIn(owner)
    const held: Held = { ...ada, refreshToken: pair.refresh_token, deviceToken: pair.device_token, apiKey: text }
    const start = async (env: Record<string, string>) => {
      // Two processes never start in the same millisecond here.
      await owner.clock.advance(SECOND)
      return apps.open({ databaseUrl: owner.databaseUrl, clock: owner.clock, env })
    }
    return { owner, held, start }
  }

  async function seals(app: TestApp): Promise<Set<string | undefined>> {
    const dataKeys = await app.rows.dataKeys.all()
    const signingKeys = await app.rows.signingKeys.all()
    const texts = [...dataKeys.map((row) => row.sealedKey), ...signingKeys.map((row) => row.sealedPrivateKey)]
    return new Set(texts.filter((text) => text !== '').map(sealedWith))
  }

  test('12.A3 lose no refresh token, revocation, API key or device token while SECRET_KEY is replaced in three restarts', async () => {
    const { owner, held: before, start } = await setUp()
    let held = before
    const replicas: [TestApp, TestApp] = [await start({}), await start({})]
    held = await expectNothingLost(replicas, held)
    for (const step of steps)
      for (const at of [0, 1]) {
        await apps.close(replicas[at]!)
        replicas[at] = await start(step)
        held = await expectNothingLost(replicas, held)
        // Key rotation and maintenance at any of them change nothing for the other.
        for (const replica of replicas) await replica.process.maintainSecrets()
        await replicas[at].keys.rotate({ early: true })
        for (const replica of replicas) await replica.keys.reload()
        held = await expectNothingLost(replicas, held)
      }
    expect(await seals(owner)).toEqual(new Set([secretId(newSecret)]))
  })

  test('12.A3 lose nothing when the first of the three restarts is left out, and the seals wait for the old process', async () => {
    const { owner, held: before, start } = await setUp()
    const old = await start({})
    const fast = await start(steps[1]!)
    let held = await expectNothingLost([old, fast], before)
    // A key that is made now is one that the old process opens.
    await fast.keys.rotate({ early: true })
    await fast.process.maintainSecrets()
    expect(await seals(owner)).toEqual(new Set([secretId(testSecret)]))
    await old.keys.reload()
    held = await expectNothingLost([old, fast], held)

    await apps.close(old)
    await fast.process.maintainSecrets()
    expect(await seals(owner)).toEqual(new Set([secretId(newSecret)]))
    await expectNothingLost([fast, await start({ SECRET_KEY: newSecret })], held)
  })

  test('12.A3 move the seals towards the SECRET_KEY of the one that started last, so not to and fro', async () => {
    const { owner, start } = await setUp()
    const first = await start(steps[0]!)
    const second = await start(steps[1]!)
    expect(await seals(owner)).toEqual(new Set([secretId(newSecret)]))
    await first.process.maintainSecrets()
    expect(await seals(owner)).toEqual(new Set([secretId(newSecret)]))
    // A step back works as well.
    await apps.close(second)
    await first.process.maintainSecrets()
    expect(await seals(owner)).toEqual(new Set([secretId(testSecret)]))
  })

  test('12.A3 wait three minutes for one that was killed', async () => {
    const { owner, start } = await setUp()
    const killed = await start({})
    const [row] = await owner.rows.processes.all()
    const next = await start(steps[1]!)
    await apps.close(killed)
    await owner.rows.processes.add(row!)
    await owner.clock.advance(2 * MINUTE)
    await next.process.maintainSecrets()
    expect(await seals(owner)).toEqual(new Set([secretId(testSecret)]))
    await owner.clock.advance(MINUTE)
    await next.process.maintainSecrets()
    expect(await seals(owner)).toEqual(new Set([secretId(newSecret)]))
  })

  test('12.A3 agree on the data keys when both start for the first time in the same moment', async () => {
    const owner = await apps.open({ dialect })
    await owner.signUp('ada', ada.password)
    // As on a new database: the signing keys come after the data keys.
    await owner.rows.signingKeys.remove()
    await owner.rows.dataKeys.remove()
    // Each waits before its first transaction, which adds the data keys, until the other has come as far.
    const both = Promise.withResolvers<void>()
    let arrived = 0
    const store = (real: Store): Store => {
      let isFirst = true
      return {
        ...real,
        async transaction(work) {
          if (isFirst && ++arrived === 2) both.resolve()
          if (isFirst) await both.promise
          isFirst = false
          return real.transaction(work)
        },
      }
    }
    const shared = { databaseUrl: owner.databaseUrl, clock: owner.clock, replace: { store } }
    const [one, other] = await Promise.all([apps.open(shared), apps.open(shared)])
    expect((await owner.rows.dataKeys.all()).map(({ purpose }) => purpose).sort()).toEqual(purposes.toSorted())
    const pair = await refresh(one, (await logIn(other)).refresh_token)
    await refresh(other, pair.refresh_token)
  })

  test('12.A3 have one current data key per purpose after several `keyward secrets renew` at once', async () => {
    const { owner, start } = await setUp()
    const replicas = [await start({}), await start({})] as const
    const runs = ['a', 'b', 'c'].map((seed) =>
      keyward(['secrets', 'renew', '--yes'], { databaseUrl: owner.databaseUrl, clock: owner.clock, seed }),
    )
    expect((await Promise.all(runs)).map(({ code, err }) => [code, err])).toEqual(Array(3).fill([0, '']))
    expect((await owner.rows.dataKeys.all()).map(({ currentSlot }) => currentSlot!).sort()).toEqual(purposes.toSorted())
    for (const replica of replicas) await replica.process.pollSecrets()
    const pair = await refresh(replicas[0], (await logIn(replicas[1])).refresh_token)
    await refresh(replicas[1], pair.refresh_token)
  })

  test('12.A3 are counted by `keyward secrets status`, which names the next step', async () => {
    const { owner, start } = await setUp()
    const status = async (env: Record<string, string>) => {
      const { code, out } = await keyward(['secrets', 'status'], {
        databaseUrl: owner.databaseUrl,
        env,
        clock: owner.clock,
      })
      expect(code).toBe(0)
      return out
    }
    const old = await start({})
    expect(await status({})).toContain('SECRET_KEY is not being replaced.')
    const one = await start(steps[0]!)
    expect(await status(steps[0]!)).toMatch(/Running servers: +2\n.*SECRET_KEY: +2\n.*SECRET_KEY_PREVIOUS: +1\n/)
    expect(await status(steps[0]!)).toContain('Wait: restart every server with both')
    await apps.close(old)
    expect(await status(steps[0]!)).toContain('Every server is ready.')
    expect(await status(steps[1]!)).toContain('Wait: restart every server with this order')
    await start(steps[1]!)
    await apps.close(one)
    // Besides the data keys, one signing key that is active and one that is next.
    const all = purposes.length + 2
    expect(await status(steps[1]!)).toMatch(new RegExp(`encrypted with SECRET_KEY: +${all} of ${all}\n`))
    expect(await status(steps[1]!)).toContain('if it is the new one, remove SECRET_KEY_PREVIOUS.')
  })

  test('12.A3 after a leak: `keyward secrets renew` says what ends, and ends it', async () => {
    const { owner, held } = await setUp()
    const on = (...args: string[]) => keyward(['secrets', 'renew', ...args], { databaseUrl: owner.databaseUrl })
    const asked = await on()
    expect([asked.code, asked.err]).toEqual([2, expect.stringContaining('This ends every session')])
    const { refresh_token } = await refresh(owner, held.refreshToken)
    const live = await owner.rows.sessions.count({ endedAt: null })
    const keys = await owner.rows.dataKeys.all()
    const { code, out } = await on('--yes')
    expect([code, out]).toEqual([0, expect.stringContaining(`Sessions ended: ${live}.`)])
    expect(await owner.rows.sessions.count({ endReason: 'secrets_renewed' })).toBe(live)
    // A session that began at a server which did not know the new keys yet.
    await owner.rows.sessions.change({}, { endedAt: null, endReason: null })
    await owner.process.pollSecrets()
    const lost = await owner.request('POST', '/token/refresh', { json: { refresh_token } })
    expect(lost.status).toBe(401)
    const device = await owner.process.readDeviceToken(held.deviceToken)
    expect(device).toBeUndefined()
    const renewed = await owner.rows.dataKeys.all()
    const kept = renewed.filter(({ id }) => keys.some((key) => key.id === id)).map(({ purpose }) => purpose)
    expect(kept.sort()).toEqual(['api_key', 'client_secret', 'recovery_code', 'username'])

    const pair = await logIn(owner)
    const use = () => owner.request('POST', '/introspect', { token: held.apiKey, form: { token: pair.access_token } })
    expect((await use()).status).toBe(200)
    const revoked = { event: 'api_key.revoked', details: JSON.stringify({ id: 1 }) }
    expect(await owner.rows.auditEvents.count(revoked)).toBe(0)
    expect((await on('--yes', '--api-keys')).out).toContain('API keys revoked: 1.')
    expect(await owner.rows.auditEvents.count(revoked)).toBe(1)
    expect((await use()).status).toBe(401)
  })

  test('after a leak: a renewal that is killed in the middle leaves no token valid, and a further one ends the rest', async () => {
    let alive = true
    const store = watchStatements((sql) => {
      if (!alive && /^update "api_keys" set "revoked_at"/.test(sql)) throw new Error('killed')
    })
    const app = await apps.open({ dialect, replace: { store } })
    const { id, grant } = await app.signUp('ada', ada.password)
    await app.admin.giveRole(id, 'admin')
    const { text } = await app.admin.createApiKey({ owner: id, scopes: ['tokens:introspect'] })
    const statuses = async () => [
      (await app.request('GET', '/users/me', { token: grant.access_token })).status,
      (await app.request('POST', '/token/refresh', { json: { refresh_token: grant.refresh_token } })).status,
      (await app.request('POST', '/introspect', { token: text, form: { token: grant.access_token } })).status,
    ]

    alive = false
    await expect(app.admin.renewSecrets({ apiKeys: true })).rejects.toThrow()
    expect(await statuses()).toEqual([200, 401, 401])
    alive = true
    expect(await app.admin.renewSecrets({ apiKeys: true })).toEqual({ sessions: 1, apiKeys: 1 })
    expect(await statuses()).toEqual([401, 401, 401])
  })
})

describeEachDialect('a database of the version that derived the keys of MACs from SECRET_KEY', (dialect) => {
  const apps = appsPerTest()

  test('12.A3 keeps every token: those made with SECRET_KEY, and those made with SECRET_KEY_PREVIOUS until they are used', async () => {
    const owner = await apps.open({ dialect })
    const { id } = await owner.signUp('ada', ada.password)
    await owner.admin.giveRole(id, 'admin')
    const open = (env: Record<string, string>) => apps.open({ databaseUrl: owner.databaseUrl, clock: owner.clock, env })
    /** What that version had made with its SECRET_KEY. */
    const madeBy = async (env: Record<string, string>): Promise<Held> => {
      await owner.rows.dataKeys.remove()
      const app = await open(env)
      const { text } = await app.admin.createApiKey({ owner: id, scopes: ['tokens:introspect'] })
      const pair = await logIn(app)
      await apps.close(app)
      return { ...ada, refreshToken: pair.refresh_token, deviceToken: pair.device_token, apiKey: text }
    }
    const older = await madeBy({})
    const newer = await madeBy(steps[1]!)
    const macs = async () => (await owner.rows.apiKeys.all()).map(({ mac }) => mac)

    await owner.rows.dataKeys.remove()
    await owner.clock.advance(SECOND)
    const one = await open(steps[1]!)
    const other = await open(steps[1]!)
    const status = () =>
      keyward(['secrets', 'status'], { databaseUrl: owner.databaseUrl, env: steps[1]!, clock: owner.clock })
    expect((await status()).out).toMatch(/API keys with a MAC of a former data key: +2, without an end\n/)
    const [olderMac, newerMac] = await macs()
    await owner.clock.advance(SECOND)
    for (const held of [older, newer]) await expectNothingLost([one, other], held)
    // The last use is recorded, and the MAC replaced, after the answer.
    while ((await macs())[0] === olderMac) await turns(1)
    expect(await macs()).toEqual([expect.not.stringContaining(olderMac!), newerMac!])
    expect((await status()).out).toMatch(/API keys with a MAC of a former data key: +0\n/)
  })

  test('12.A3 is not touched by a command with another SECRET_KEY', async () => {
    const owner = await apps.open({ dialect })
    await owner.rows.dataKeys.remove()
    const { code, err } = await keyward(['apikeys', 'list'], {
      databaseUrl: owner.databaseUrl,
      env: { SECRET_KEY: newSecret },
    })
    expect([code, err]).toEqual([1, expect.stringContaining('This SECRET_KEY does not open')])
    expect(await owner.rows.dataKeys.all()).toEqual([])
  })
})
