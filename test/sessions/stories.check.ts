import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { DAY, HOUR, MINUTE, SECOND } from '../../src/lib/clock.ts'
import type { TestApp } from '../support/app.ts'
import { describeEachDialect } from '../support/dialects.ts'
import { closeApps, createApps } from '../support/hooks.ts'
import { GRACE, LATE_RETRIES } from './model.ts'
import { audit, introspectionKey, loggedIn, me, type Pair, refresh, refreshed, sessionIdOf } from './support.ts'

const RUNS = { sqlite: 80, postgresql: 30 }

/** One step of an honest app: it refreshes until an answer arrives, and continues with that. */
const turn = fc.record({
  idle: fc.constantFrom(0, SECOND, 29 * MINUTE, HOUR, 3 * DAY),
  /** How long it waits after each lost answer; together less than the window for retries. */
  lost: fc.array(fc.constantFrom(1, 9 * SECOND, 11 * SECOND, 10 * MINUTE, 19 * MINUTE), { maxLength: 3 }),
  tabs: fc.integer({ min: 1, max: 3 }),
  /** When the last tab refreshes with the previous token; the clock may have been set back a little meanwhile. */
  lateTab: fc.option(fc.constantFrom(0, 3 * SECOND, 10 * SECOND, -2 * SECOND, -10 * SECOND), { nil: undefined }),
  uses: fc.boolean(),
  app: fc.nat({ max: 1 }),
})

/** How many of the retries after these waits come after the grace, and not together with the last one. */
function lateRetries(waits: readonly number[]): number {
  let [count, age, last] = [0, 0, 0]
  for (const wait of waits) {
    age += wait
    if (age <= last + GRACE) continue
    last = age
    count++
  }
  return count
}

let accounts = 0

describeEachDialect('an honest app', (dialect) => {
  test('F4: stays logged in, however many answers are lost and tabs refresh together, three of them late', async () => {
    const apps = await createApps(2, { dialect })
    const { clock } = apps[0]!
    await fc.assert(
      fc.asyncProperty(fc.array(turn, { minLength: 1, maxLength: 8 }), async (turns) => {
        let { refresh_token: token } = (await apps[0]!.signUp(`ada${++accounts}`)).grant as unknown as Pair
        let late = 0
        for (const { idle, lost, tabs, lateTab, uses, app: at } of turns) {
          late += lateRetries(lost)
          if (late > LATE_RETRIES) return
          const [app, other] = [apps[at]!, apps[1 - at]!]
          clock.setWall(clock.now() + idle)
          for (const wait of lost) {
            expect((await refresh(app, token)).status).toBe(200)
            clock.setWall(clock.now() + wait)
          }
          const pairs = await Promise.all(
            Array.from({ length: tabs }, (_, tab) => refreshed(tab % 2 ? other : app, token)),
          )
          expect(new Set(pairs.map(({ refresh_token }) => refresh_token)).size).toBe(1)
          const { access_token, refresh_token } = pairs[0]!
          if (uses) expect(await me(other, access_token)).toBe(200)
          // A tab within the grace period of the first refresh gets the same token, used or not.
          if (lateTab !== undefined && lost.length === 0) {
            clock.setWall(clock.now() + lateTab)
            expect((await refreshed(other, token)).refresh_token).toBe(refresh_token)
          }
          token = refresh_token
        }
      }),
      { numRuns: RUNS[dialect.name], interruptAfterTimeLimit: 8_000 },
    )
    expect(await audit(apps[0]!, 'session.refresh_token_reused')).toEqual([])
    await closeApps(apps)
  })
})

/** How the owner's app used the token after the stolen one, so that its arrival is known. */
const use = fc.constantFrom('access token', 'refresh token', 'introspection')

describeEachDialect('a thief', (dialect) => {
  test('F2: who uses a stolen token after the owner used the next one ends that session and no other', async () => {
    const apps = await createApps(2, { dialect })
    const { clock } = apps[0]!
    const key = await introspectionKey(apps[0]!)
    await fc.assert(
      fc.asyncProperty(
        fc.nat({ max: 4 }),
        use,
        fc.nat({ max: 3 }),
        fc.constantFrom(11 * SECOND, HOUR, 20 * DAY),
        fc.integer({ min: 1, max: 4 }),
        async (before, how, after, wait, thieves) => {
          const user = await apps[0]!.signUp(`eve${++accounts}`)
          const elsewhere = await loggedIn(apps[1]!, user)
          let newest = user.grant as unknown as Pair
          for (let at = 0; at < before; at++) newest = await refreshed(apps[at % 2]!, newest.refresh_token)
          const stolen = newest.refresh_token
          newest = await refreshed(apps[0]!, stolen)
          if (how === 'access token') expect(await me(apps[1]!, newest.access_token)).toBe(200)
          if (how === 'refresh token') newest = await refreshed(apps[1]!, newest.refresh_token)
          if (how === 'introspection') await introspected(apps[1]!, key, newest.refresh_token)
          for (let at = 0; at < after; at++) newest = await refreshed(apps[at % 2]!, newest.refresh_token)
          clock.setWall(clock.now() + wait)
          const answers = await Promise.all(Array.from({ length: thieves }, (_, at) => refresh(apps[at % 2]!, stolen)))
          expect(answers.map(({ status }) => status)).toEqual(Array(thieves).fill(401))
          for (const app of apps) {
            expect((await refresh(app, newest.refresh_token)).status).toBe(401)
            expect(await me(app, newest.access_token)).toBe(401)
            await refreshed(app, elsewhere.refresh_token)
          }
          const reused = await audit(apps[0]!, 'session.refresh_token_reused')
          expect(reused.filter((row) => row.sessionId === sessionIdOf(newest))).toHaveLength(1)
        },
      ),
      { numRuns: RUNS[dialect.name], interruptAfterTimeLimit: 8_000 },
    )
    await closeApps(apps)
  })

  test('who is as quick as a second tab gets the same token, and no separate successor', async () => {
    const apps = await createApps(2, { dialect })
    const { grant } = await apps[0]!.signUp()
    const stolen = grant.refresh_token!
    const owner = await refreshed(apps[0]!, stolen)
    const thief = await refreshed(apps[1]!, stolen)
    expect(thief.refresh_token).toBe(owner.refresh_token)
    await refreshed(apps[0]!, owner.refresh_token)
    // Whichever of the two continues, the next step of the other reveals the theft.
    expect((await refresh(apps[1]!, stolen)).status).toBe(401)
    expect((await refresh(apps[0]!, owner.refresh_token)).status).toBe(401)
    await closeApps(apps)
  })
})

async function introspected(app: TestApp, token: string, asked: string): Promise<void> {
  const response = await app.request('POST', '/introspect', { token, form: { token: asked } })
  expect(await response.json()).toMatchObject({ active: true })
}
