import { beforeEach, expect, test } from 'bun:test'
import { HOUR, SECOND } from '../../src/lib/clock.ts'
import { describeEachDialect } from '../support/dialects.ts'
import { withApp } from '../support/hooks.ts'
import { type Bcrypt, passwordsWith } from '../support/replace.ts'
import { auditOf, guess, limited, password, tally, times } from './support.ts'

/** Somebody who knows the password of one account must not take the time and the disk of all others. */
describeEachDialect('12.A2 right passwords', (dialect) => {
  let verified = 0
  /** While set, every password waits for it. */
  let held: Promise<void> | undefined
  beforeEach(() => {
    verified = 0
    held = undefined
  })
  const bcrypt: Bcrypt = {
    async hash(text, cost) {
      await held
      return Bun.password.hash(text, { algorithm: 'bcrypt', cost })
    },
    async verify(text, hash) {
      verified++
      await held
      return Bun.password.verify(text, hash)
    },
  }
  const withBcrypt = limited({ dialect, replace: { passwords: passwordsWith({ bcrypt }) } })
  /** Lets the requests go on. */
  const turn = () => new Promise((resolve) => setImmediate(resolve))
  const peer = '198.51.100.7'

  test('count for each user and network, and no other login is refused', () =>
    withApp({ ...withBcrypt, env: { ...withBcrypt.env, LIMITS: 'login.right=30/1h' } }, async (app) => {
      const ada = await app.signUp('ada', password)
      await app.signUp('bea', password)
      const login = (username: string, from: string, device?: string) =>
        guess(app, { username, password, peer: from, device })
      const statuses: number[] = []
      // With either name, with a known device and without one.
      for (let i = 0; i < 30; i++)
        statuses.push(
          (await login(i % 2 ? 'ada' : 'ada@example.com', peer, i % 3 ? undefined : ada.grant.device_token)).status,
        )
      expect(tally(statuses)).toEqual({ 200: 30 })
      expect(await login('ada', peer)).toMatchObject({ status: 429, retryAfter: 120, limit: 'login.right' })
      // Refused before the password is hashed.
      const before = verified
      for (let i = 0; i < 10; i++) expect((await login('ada', peer, ada.grant.device_token)).status).toBe(429)
      expect(verified).toBe(before)
      expect((await login('ada', '203.0.113.9')).status).toBe(200)
      expect((await login('bea', peer)).status).toBe(200)
      await app.clock.advance(120 * SECOND)
      expect((await login('ada', peer)).status).toBe(200)
      expect((await login('ada', peer)).status).toBe(429)
      const exceeded = (await auditOf(app)).filter(({ event }) => event === 'limit.exceeded')
      expect(exceeded).toMatchObject([{ userId: ada.id, details: { rule: 'login.right' } }])
      await app.clock.advance(HOUR)
      expect((await login('ada', peer)).status).toBe(200)
    }))

  test('are counted exactly, of many parallel logins too', () =>
    withApp(limited({ dialect, env: { LIMITS: 'login.right=5/1d' } }), async (app) => {
      await app.signUp('ada', password)
      const answers = await Promise.all(
        Array.from({ length: 12 }, () => guess(app, { username: 'ada', password, peer })),
      )
      expect(tally(answers.map(({ status }) => status))).toEqual({ 200: 5, 429: 7 })
      expect(await app.rows.sessions.count()).toBe(6)
      // Wrong passwords are still told from right ones where there are places.
      expect((await guess(app, { username: 'ada', peer: '203.0.113.9' })).status).toBe(401)
    }))

  test('of one name get their share of the queue of hashes from all networks, as wrong ones of an unknown name do', () =>
    withApp(
      limited({
        dialect,
        // Eleven places: two for each name.
        replace: { passwords: passwordsWith({ bcrypt, fairness: true, concurrency: 1, maxWaitMs: 10 }) },
      }),
      async (app) => {
        await app.signUp('ada', password)
        const flood = async (username: string, given: string) => {
          const release = Promise.withResolvers<void>()
          held = release.promise
          const refusedBefore = app.process.hashing().refusedTotal
          const answers = Array.from({ length: 6 }, (_, i) =>
            guess(app, { username, password: given, peer: `203.0.113.${i}` }),
          )
          while (app.process.hashing().refusedTotal < refusedBefore + 4) await turn()
          release.resolve()
          while (app.process.hashing().running > 0) await turn()
          // The refusals pause before they are sent.
          await app.clock.advance(SECOND)
          return (await Promise.all(answers)).map(({ status }) => status).toSorted()
        }
        expect(await flood('ada', password)).toEqual([...times(2, 200), ...times(4, 503)])
        expect(await flood('nobody', password)).toEqual([...times(2, 401), ...times(4, 503)])
      },
    ))
})
