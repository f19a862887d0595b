import { expect, test } from 'bun:test'
import { MINUTE } from '../../src/lib/clock.ts'
import { loggedIn } from '../sessions/support.ts'
import { describeApp } from '../support/hooks.ts'
import { expectRefusal } from '../support/refusal.ts'
import { answerLogin, waitingLogin } from './support.ts'

describeApp('the token of a login that waits for the second factor', {}, (app) => {
  test('M4: opens no other route, lives five minutes, and ends one login', async () => {
    const ada = await app.signUp()
    await app.admin.giveRole(ada.id, 'admin')
    const phone = await app.factors.addApp(ada.id)
    const token = await waitingLogin(app, ada)
    const closed = app.table.routes.filter(({ access }) => access !== 'open')
    expect(closed.length).toBeGreaterThan(50)
    for (const { method, pattern } of closed) {
      const answer = await app.request(method, pattern, { token, ...(method !== 'GET' && { json: {} }) })
      expect([method, pattern, answer.status]).toEqual([method, pattern, 401])
    }
    const pair = await app.request('POST', '/token/refresh', { json: { refresh_token: token } })
    await expectRefusal(pair, 'invalid_refresh_token')
    // It still ends its login, once.
    expect((await answerLogin(app, { mfa_token: token, otp: phone.code() })).status).toBe(200)
    await expectRefusal(await answerLogin(app, { mfa_token: token, otp: phone.code(1) }), 'mfa_token_expired')
    const late = await waitingLogin(app, ada)
    await app.clock.advance(5 * MINUTE)
    await expectRefusal(await answerLogin(app, { mfa_token: late, otp: phone.code() }), 'mfa_token_expired')
    await loggedIn(app, ada, { otp: phone.code() })
  })
})
