import { beforeAll, beforeEach, describe, expect, test } from 'bun:test'
import { SQL } from 'bun'
import { limitNames } from '../../src/config/limits.ts'
import { KeywardError } from '../../src/errors.ts'
import { createExhaustedKeys } from '../../src/features/limits/exhausted-keys.ts'
import type { Limits, Reservation } from '../../src/features/limits/limits.ts'
import { createPending } from '../../src/features/limits/pending.ts'
import { HOUR, MINUTE, SECOND } from '../../src/lib/clock.ts'
import type { TestApp } from '../support/app.ts'
import { describeEachDialect } from '../support/dialects.ts'
import { appPerSuite } from '../support/hooks.ts'
import type { Exceeded } from '../support/process.ts'
import { auditOf, guess, limited, limitedApp, password, tally } from './support.ts'

const ten = { rule: 'register.prefix', key: 'x' } as const

const outcomeOf = async (taking: Promise<Reservation>): Promise<Reservation | KeywardError> =>
  taking.catch((error) => {
    if (!(error instanceof KeywardError)) throw error
    return error
  })
const isRefusal = (outcome: Reservation | KeywardError): outcome is KeywardError => outcome instanceof KeywardError

describeEachDialect('a limiter', (dialect) => {
  let two: TestApp
  // No place comes free while the clock advances.
  const env = { LIMITS: 'login.name_prefix=5/1d,login.account_prefix=10/1d' }
  const app = appPerSuite(limited({ dialect, env }), () => two.close())
  let met: Exceeded[] = []
  beforeAll(async () => {
    two = await limitedApp({ dialect, env, seed: 'two', databaseUrl: app.databaseUrl, clock: app.clock })
  })
  beforeEach(async () => {
    met = []
    for (const table of [app.rows.limits, app.rows.auditEvents]) await table.remove()
    await app.clock.advance(MINUTE)
  })

  /** A limiter as of another process, as far as the database can tell. */
  const limiter = (of: TestApp = app, settings: string[] = ['register.prefix=10/1h']): Limits =>
    of.process.createLimits({ settings, exceeded: async (limit) => void met.push(limit) })
  const rows = () => app.rows.limits.all()
  /** Advances the clock until the promise is settled. */
  async function whileTimePasses<T>(promise: Promise<T>): Promise<T> {
    let isOver = false
    const done = () => {
      isOver = true
    }
    promise.then(done, done)
    while (!isOver) {
      await app.clock.advance(SECOND / 10)
      // A statement of PostgreSQL needs more than one turn.
      await app.rows.limits.all()
    }
    return promise
  }

  test('grants exactly as many of a hundred parallel attempts as there are places, over two processes', async () => {
    // The limit is per day, not per hour: the clock advances by minutes meanwhile, which would free an eleventh place.
    const both = [app, two].map((process) => limiter(process, ['register.prefix=10/1d']))
    const attempts = Promise.all(
      Array.from({ length: 100 }, async (_, i) => {
        const outcome = await outcomeOf(both[i % 2]!.reserve([ten], {}))
        if (!isRefusal(outcome)) outcome.keep()
        return outcome
      }),
    )
    const outcomes = await whileTimePasses(attempts)
    expect(outcomes.filter((outcome) => !isRefusal(outcome))).toHaveLength(10)
  })

  test('takes all requested places or none', async () => {
    const one = limiter(app, ['register.prefix=10/1h', 'login.prefix=3/1h'])
    const counts = [ten, { rule: 'login.prefix', key: 'y' }] as const
    for (let i = 0; i < 3; i++) (await one.reserve(counts, {})).keep()
    const before = await rows()
    for (let i = 0; i < 5; i++)
      expect(await outcomeOf(one.reserve(counts, {}))).toMatchObject({
        code: 'rate_limited',
        retryAfter: 1_200,
        limit: { name: 'login.prefix', budget: 3, windowSeconds: 3_600 },
      })
    const after = await rows()
    expect(after.filter(({ key }) => !key.startsWith('reported/'))).toEqual(before)
  })

  test('makes attempts without a place wait until running ones are settled', async () => {
    const one = limiter()
    const held = await Promise.all(Array.from({ length: 10 }, () => one.reserve([ten], {})))
    let settled = 0
    const waiting = Array.from({ length: 30 }, async () => {
      const outcome = await outcomeOf(one.reserve([ten], {}))
      settled++
      if (!isRefusal(outcome)) await outcome.giveBack()
      return outcome
    })
    // All but one are right: each place given back serves the next attempt.
    for (const place of held.slice(1)) await place.giveBack()
    held[0]!.keep()
    const outcomes = await Promise.all(waiting)
    expect(settled).toBe(30)
    expect(outcomes.filter(isRefusal)).toEqual([])
    expect(met).toEqual([])
  })

  test('refuses the waiting attempts once all places were kept', async () => {
    const one = limiter()
    const held = await Promise.all(Array.from({ length: 10 }, () => one.reserve([ten], {})))
    const waiting = Array.from({ length: 30 }, () => outcomeOf(one.reserve([ten], {})))
    for (const place of held) place.keep()
    expect((await Promise.all(waiting)).every(isRefusal)).toBe(true)
    expect(met).toEqual([{ rule: 'register.prefix' }])
  })

  test('12.A9 waits for places that another process has not decided yet', async () => {
    const held = await Promise.all(Array.from({ length: 10 }, () => limiter().reserve([ten], {})))
    const other = limiter(two)
    let settled = 0
    const waiting = Array.from({ length: 30 }, async () => {
      const outcome = await outcomeOf(other.reserve([ten], {}))
      settled++
      if (!isRefusal(outcome)) await outcome.giveBack()
      return outcome
    })
    const all = Promise.all(waiting)
    await app.clock.advance(SECOND)
    expect(settled).toBe(0)
    for (const place of held) await place.giveBack()
    expect((await whileTimePasses(all)).filter(isRefusal)).toEqual([])
    expect(met).toEqual([])
    expect(isRefusal(await outcomeOf(other.reserve([ten], {})))).toBe(false)
  })

  test('12.A9 refuses once another process must have decided, remembers it then, and reports it once', async () => {
    const one = limiter()
    for (let i = 0; i < 10; i++) (await one.reserve([ten], {})).keep()
    const other = limiter(two)
    const start = app.clock.now()
    const refusal = await whileTimePasses(outcomeOf(other.reserve([ten], {})))
    expect(isRefusal(refusal)).toBe(true)
    expect(app.clock.now() - start).toBeGreaterThanOrEqual(6 * SECOND)
    expect(app.clock.now() - start).toBeLessThan(10 * SECOND)
    // Neither waits any more: the places are decided.
    for (const each of [one, other]) expect(isRefusal(await outcomeOf(each.reserve([ten], {})))).toBe(true)
    expect(met).toEqual([{ rule: 'register.prefix' }])
  })

  test('12.A2 commits exactly as many of parallel attempts as there are places, over two processes', async () => {
    const both = [app, two].map((process) => ({ process, one: limiter(process, ['register.prefix=10/1d']) }))
    const attempt = ({ process, one }: (typeof both)[number], work: () => Promise<void>) =>
      one.commitCounted(ten, {}, async () => {
        await process.record({ event: 'login.failed' })
        await work()
      })
    // An attempt that fails does not count.
    const failing = () => attempt(both[0]!, () => Promise.reject(new Error('no')))
    for (let i = 0; i < 12; i++) await expect(failing()).rejects.toThrow('no')
    const outcomes = await Promise.allSettled(
      Array.from({ length: 40 }, (_, i) => attempt(both[i % 2]!, async () => {})),
    )
    const refused = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason.code] : []))
    expect(refused).toEqual(Array.from({ length: 30 }, () => 'rate_limited'))
    expect((await auditOf(app)).filter(({ event }) => event === 'login.failed')).toHaveLength(10)
    expect(met).toEqual([{ rule: 'register.prefix' }])
    // Known without a statement from now on.
    for (const { one } of both) expect(() => one.refuseKnown(ten)).toThrow(KeywardError)
  })

  test('reports an exceeded key once per window, from whichever process and however often', async () => {
    const one = limiter()
    for (let i = 0; i < 10; i++) (await one.reserve([ten], {})).keep()
    const exhaust = async () => {
      // The other process has decided.
      await app.clock.advance(6 * SECOND)
      for (const each of [one, limiter(two), limiter()])
        for (let i = 0; i < 5; i++) await outcomeOf(each.reserve([ten], { userId: 7, ip: '192.0.2.9' }))
    }
    await exhaust()
    expect(met).toEqual([{ rule: 'register.prefix', userId: 7, ip: '192.0.2.9' }])
    // Places come free and are used up repeatedly: the same window, no new report.
    for (let i = 0; i < 5; i++) {
      await app.clock.advance(6 * MINUTE)
      ;(await one.reserve([ten], {})).keep()
      await exhaust()
    }
    expect(met).toHaveLength(1)
    await app.clock.advance(HOUR)
    for (let i = 0; i < 10; i++) (await one.reserve([ten], {})).keep()
    await exhaust()
    expect(met).toHaveLength(2)
  })

  test('closes an exhausted key once, and a success does not open it', async () => {
    const one = limiter()
    const last = await one.reserve([ten], {})
    expect(await one.closeIfExhausted(ten)).toBe(false)
    for (let i = 0; i < 9; i++) (await one.reserve([ten], {})).keep()
    const closings = await Promise.all(
      Array.from({ length: 10 }, (_, i) => (i % 2 ? one : limiter(two)).closeIfExhausted(ten)),
    )
    expect(tally(closings.map(String))).toEqual({ true: 1, false: 9 })
    await last.giveBack([ten.rule])
    await app.clock.advance(61 * MINUTE)
    expect(isRefusal(await outcomeOf(one.reserve([ten], {})))).toBe(true)
    await app.clock.advance(HOUR)
    expect(isRefusal(await outcomeOf(one.reserve([ten], {})))).toBe(false)
  })

  test('closes a key also if the places do not divide the window evenly', async () => {
    const one = limiter(app, ['register.prefix=7/1m'])
    for (let i = 0; i < 7; i++) (await one.reserve([ten], {})).keep()
    expect(await one.closeIfExhausted(ten)).toBe(true)
  })

  test('neither refuses nor writes for a rule that is off', async () => {
    const one = limiter(app, ['register.prefix=off'])
    for (let i = 0; i < 50; i++) (await one.reserve([ten], {})).keep()
    expect(await rows()).toEqual([])
    expect(await one.closeIfExhausted(ten)).toBe(false)
  })

  test('stores no name that was typed', async () => {
    await guess(app, { username: 'my secret password', password: 'x', peer: '198.51.100.1' })
    const text = JSON.stringify(await rows())
    expect(text).toContain('@198.51.100.1')
    expect(text).not.toContain('secret')
  })

  test('has no deadlock between two logins, or between a login and the clean-up', async () => {
    const busy = await limitedApp({
      dialect,
      env: {
        LIMITS: limitNames
          .filter((name) => name.startsWith('login.'))
          .map((name) => `${name}=9999/1h`)
          .join(),
      },
    })
    for (let i = 0; i < 3; i++) await busy.signUp(`user${i}`, password)
    const statuses: number[] = []
    for (let round = 0; round < 6; round++) {
      // All buckets are full again, so that the clean-up deletes the very rows that are taken.
      await busy.clock.advance(2 * HOUR)
      const attempts = Array.from({ length: 40 }, (_, i) =>
        guess(busy, {
          username: `user${i % 3}`,
          password: i % 4 ? 'wrong' : password,
          peer: `203.0.113.${i % 5}`,
        }),
      )
      const [answers] = await Promise.all([Promise.all(attempts), busy.process.cleanUp(), busy.process.cleanUp()])
      statuses.push(...answers.map(({ status }) => status))
    }
    expect(tally(statuses)).toEqual({ 200: 60, 401: 180 })
    if (dialect.name === 'postgresql') {
      // A connection reports its statistics to the server when it ends.
      await busy.process.closeDatabase()
      const admin = new SQL(busy.databaseUrl, { max: 1 })
      const [row] = await admin`SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()`
      await admin.close()
      expect(Number(row.deadlocks)).toBe(0)
    } else await busy.close()
  })

  test('D5: allows five of a hundred parallel logins on two processes, the rest are 429', async () => {
    await app.signUp('burst', password)
    const attempts = Promise.all(
      Array.from({ length: 100 }, (_, i) => {
        // The right one is the twentieth: it is checked only if it is among the five.
        const given = i === 19 ? password : 'wrong'
        return guess(i % 2 ? app : two, { username: 'burst', password: given, peer: '198.51.100.3' })
      }),
    )
    const answers = await whileTimePasses(attempts)
    const { 401: wrong = 0, 200: right = 0, 429: refused = 0 } = tally(answers.map(({ status }) => status))
    expect(wrong + right + refused).toBe(100)
    if (right === 0) expect(wrong).toBe(5)
    else expect(wrong).toBeLessThanOrEqual(5 + 5)
  })

  test('does not refuse many right passwords from one network', async () => {
    const names = Array.from({ length: 60 }, (_, i) => `staff${i}`)
    for (const [i, username] of names.entries()) {
      const json = { email: `${username}@example.com`, username, password }
      await app.request('POST', '/register', { json, peer: `100.64.${i}.1` })
    }
    const answers = await Promise.all(names.map((username) => guess(app, { username, password, peer: '198.51.100.4' })))
    // The hash queue may refuse some; no limit counts these as guesses.
    expect(answers.filter(({ status }) => status === 429)).toEqual([])
    expect(answers.filter(({ status }) => status === 200).length).toBeGreaterThan(10)
  })

  test('the clean-up job deletes full buckets and nothing else', async () => {
    const one = limiter(app, ['register.prefix=10/1h', 'login.prefix=3/1d'])
    for (let i = 0; i < 700; i++) (await one.reserve([{ rule: 'register.prefix', key: `k${i}` }], {})).keep()
    ;(await one.reserve([{ rule: 'login.prefix', key: 'stays' }], {})).keep()
    await app.process.cleanUp()
    expect(await rows()).toHaveLength(701)
    await app.clock.advance(7 * MINUTE)
    await app.process.cleanUp()
    expect((await rows()).map(({ key }) => key)).toEqual(['login.prefix/0/stays'])
    expect(await auditOf(app)).toEqual([])
  })
})

describe('the cache of exhausted keys', () => {
  test('D9: holds at most ten thousand keys of a million, and is right about those', () => {
    const keys = createExhaustedKeys()
    for (let i = 0; i < 1_000_000; i++)
      keys.note(`login.account_prefix/0/u${i}@198.51.100.1`, { until: 10_000, now: 0 })
    let known = 0
    for (let i = 0; i < 1_000_000; i++)
      if (keys.until(`login.account_prefix/0/u${i}@198.51.100.1`, 1) === 10_000) known++
    expect(known).toBeLessThanOrEqual(10_000)
    expect(known).toBeGreaterThanOrEqual(5_000)
  })

  test('is used for five seconds, and not beyond the end of a wait or after the clock was set back', () => {
    const keys = createExhaustedKeys()
    keys.note('a', { until: 60_000, now: 1_000 })
    expect([999, 1_000, 5_999, 6_000].map((now) => keys.until('a', now))).toEqual([
      undefined,
      60_000,
      60_000,
      undefined,
    ])
    keys.note('b', { until: 2_000, now: 1_000 })
    expect([1_999, 2_000].map((now) => keys.until('b', now))).toEqual([2_000, undefined])
  })

  test('attempts in flight leave nothing behind, and only so many wait', async () => {
    const pending = createPending()
    expect(pending.nextSettled('a')).toBeUndefined()
    pending.begin(['a', 'b'])
    const waiting = Array.from({ length: 1_000 }, () => pending.nextSettled('a'))
    expect(waiting).not.toContain(undefined)
    expect(pending.nextSettled('b')).toBeUndefined()
    pending.end(['a', 'b'], { freed: false })
    await Promise.all(waiting)
    expect(pending.nextSettled('a')).toBeUndefined()
    pending.begin(['b'])
    expect([pending.has('a'), pending.has('b')]).toEqual([false, true])
    expect(pending.nextSettled('b')).toBeInstanceOf(Promise)
  })
})
