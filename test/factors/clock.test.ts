import { expect, test } from 'bun:test'
import { MINUTE } from '../../src/lib/clock.ts'
import { loggedIn } from '../sessions/support.ts'
import { describeApp } from '../support/hooks.ts'
import { expectRefusal } from '../support/refusal.ts'
import { answerLogin, waitingLogin } from './support.ts'

describeApp('the clock of the server', {}, (app) => {
  const answer = async (user: Parameters<typeof waitingLogin>[1], json: object) =>
    answerLogin(app, { mfa_token: await waitingLogin(app, user), ...json })

  test('M10: set back, it makes no used code valid again and locks nobody out for good; set forward, it refuses no new code', async () => {
    for (const back of [1.5 * MINUTE, 60 * MINUTE]) {
      const user = await app.signUp(`user${back}`)
      const phone = await app.factors.addApp(user.id)
      const [code] = await app.factors.makeCodes(user.id)
      const right = app.clock.now()
      await loggedIn(app, user, { otp: phone.code() })
      app.clock.setWall(right - back)
      app.logs.length = 0
      for (const steps of [-1, 0, 1])
        await expectRefusal(await answer(user, { otp: phone.code(steps) }), 'invalid_code')
      expect(app.logs.filter((line) => line.includes('clock_behind_factor'))).not.toEqual([])
      expect((await answer(user, { recovery_code: code })).status).toBe(200)
      // When the clock has caught up, codes are accepted again. A jump forward costs nothing.
      app.clock.setWall(right)
      await expectRefusal(await answer(user, { otp: phone.code() }), 'invalid_code')
      await loggedIn(app, user, { otp: phone.code(1) })
      app.clock.setWall(right + 60 * MINUTE)
      await loggedIn(app, user, { otp: phone.code() })
    }
  })
})
