import { expect, test } from 'bun:test'
import { DAY, MINUTE } from '../../src/lib/clock.ts'
import { describeEachDialect } from '../support/dialects.ts'
import { appsWithMail, forgot, logIn } from '../verification/support.ts'

const env = { REQUIRE_EMAIL_VERIFICATION: 'true', EMAIL_LOGIN: 'on', RATE_LIMIT: 'on', AUDIT_DAYS: '20' }
const STRANGERS = 10

describeEachDialect('what strangers leave behind', (dialect) => {
  const withMail = appsWithMail()

  test('R6: registrations without proof, mails, links, codes and counts are deleted when their time is over', async () => {
    const { app } = await withMail(dialect, { env })
    const rowCounts = async () => {
      const counts: Record<string, number> = {}
      for (const [name, rows] of Object.entries(app.rows)) counts[name] = await rows.count()
      return counts
    }
    await app.process.cleanUp()
    const before = await rowCounts()
    for (let at = 0; at < STRANGERS; at++) {
      const [peer, email] = [`198.51.${at}.7`, `nobody${at}@example.com`]
      const json = { email, username: `nobody${at}`, password: 'correct horse battery' }
      expect((await app.request('POST', '/register', { json, peer })).status).toBe(202)
      await app.clock.advance(MINUTE)
      for (const path of ['/email/verification', '/login/email'])
        expect((await app.request('POST', path, { json: { email }, peer })).status).toBe(202)
      expect((await forgot(app, email, {}, peer)).status).toBe(202)
      expect((await logIn(app, email, 'a wrong one')).status).toBe(401)
    }
    await app.process.deliverMail()
    const during = await rowCounts()
    expect(during).toMatchObject({ users: 0, pendingRegistrations: STRANGERS, mails: 4 * STRANGERS })
    expect(during.proofs).toBeGreaterThan(0)

    await app.clock.advance(DAY)
    await app.process.cleanUp()
    expect(await rowCounts()).toMatchObject({ pendingRegistrations: 0 })
    await app.clock.advance(20 * DAY)
    await app.process.cleanUp()
    // The events of the start are over too.
    expect(await rowCounts()).toEqual({ ...before, auditEvents: 0 })
  })
})
