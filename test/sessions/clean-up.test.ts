import { beforeEach, expect, test } from 'bun:test'
import { DAY, HOUR } from '../../src/lib/clock.ts'
import type { SignedUp } from '../support/app.ts'
import { describeEachDialect } from '../support/dialects.ts'
import { appPerTest } from '../support/hooks.ts'
import { grant, OFFLINE, refreshAt, signIn } from './kinds.ts'
import { loggedIn, me, type Pair, refresh, refreshed } from './support.ts'

describeEachDialect('the clean-up of sessions', (dialect) => {
  const app = appPerTest({ dialect, jobs: true, env: { MAX_SESSIONS_PER_USER: '1000' } })
  let ada: SignedUp
  let session: Pair

  beforeEach(async () => {
    ada = await app.signUp('ada')
    session = ada.grant as unknown as Pair
  })

  const rows = () => app.rows.sessions.count()

  test('deletes an expired session a week later and no sooner', async () => {
    await app.passTime(37 * DAY - HOUR)
    expect(await rows()).toBe(1)
    await app.passTime(2 * HOUR)
    expect(await rows()).toBe(0)
  })

  test('keeps a refreshed session past its first expiry, and deletes it a week after its last', async () => {
    for (let month = 0; month < 5; month++) {
      await app.passTime(29 * DAY)
      session = await refreshed(app, session.refresh_token)
      expect(await rows()).toBe(1)
    }
    expect(await me(app, session.access_token)).toBe(200)
    await app.passTime(37 * DAY - HOUR)
    expect(await rows()).toBe(1)
    await app.passTime(2 * HOUR)
    expect(await rows()).toBe(0)
    expect((await refresh(app, session.refresh_token)).status).toBe(401)
  })

  test('deletes an ended session a week later, whatever its lifetime, and no other', async () => {
    const phone = await loggedIn(app, ada)
    const laptop = await loggedIn(app, ada)
    await app.passTime(DAY)
    await refreshed(app, phone.refresh_token)
    await app.request('POST', '/revoke', { form: { token: session.refresh_token } })
    await app.passTime(7 * DAY - HOUR)
    expect(await rows()).toBe(3)
    await app.passTime(2 * HOUR)
    expect(await rows()).toBe(2)
    await refreshed(app, laptop.refresh_token)
  })

  test('ends the session of a client when it expires, however often it was refreshed, and deletes it a week later', async () => {
    const browser = await signIn(app, ada, { isRemembered: true })
    const [once, often] = [await grant(app, ada, { parent: browser }), await grant(app, ada, { scope: OFFLINE })]
    const end = async ({ id }: { id: string }) => {
      const [row] = await app.rows.sessions.all({ id })
      return row && [row.endedAt, row.endReason]
    }
    const begun = app.clock.now()
    await app.passTime(20 * DAY)
    await refreshAt(app, often.token)
    await app.passTime(10 * DAY)
    expect([await end(once), await end(often)]).toEqual([
      [begun + 30 * DAY, 'expired'],
      [null, null],
    ])
    await app.passTime(20 * DAY)
    expect([await end(once), await end(often)]).toEqual([undefined, [begun + 50 * DAY, 'expired']])
    await app.passTime(7 * DAY + HOUR)
    expect(await rows()).toBe(0)
  })

  test('deletes more than one batch in one run', async () => {
    // So many sessions that are alive that a batch of them hides the others, unless they are postponed.
    const living: Pair[] = []
    for (let i = 0; i < 210; i++) living.push(await loggedIn(app, ada))
    for (let i = 0; i < 210; i++) await loggedIn(app, ada)
    await app.passTime(20 * DAY)
    for (const { refresh_token } of living) await refreshed(app, refresh_token)
    await app.passTime(18 * DAY)
    expect(await rows()).toBe(210)
    await app.passTime(30 * DAY)
    expect(await rows()).toBe(0)
  })
})
