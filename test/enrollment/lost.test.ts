import { expect, test } from 'bun:test'
import { MINUTE } from '../../src/lib/clock.ts'
import { answerLogin, waitingLogin } from '../factors/support.ts'
import { describeApp } from '../support/hooks.ts'
import { expectRefusal } from '../support/refusal.ts'
import { enrol, listed, remove } from './support.ts'

describeApp('an account with a second factor', {}, (app) => {
  test('F20 lets its owner remove a lost factor and add another one for 15 minutes after a login with a recovery code', async () => {
    const ada = await app.signUp()
    const { id, recovery_codes: codes } = await enrol(app, ada.grant.access_token)
    const logIn = async (at: number) => {
      const mfa_token = await waitingLogin(app, ada)
      const { access_token } = (await (await answerLogin(app, { mfa_token, recovery_code: codes![at] })).json()) as {
        access_token: string
      }
      return access_token
    }
    const late = await logIn(0)
    await app.clock.advance(15 * MINUTE + 1)
    await expectRefusal(await remove(app, late, id, { password: ada.password }), 'reauthentication_required')
    const token = await logIn(1)
    const next = await enrol(app, token, 'New phone')
    expect((await remove(app, next.token, id, { password: ada.password })).status).toBe(204)
    expect(await listed(app, next.token)).toMatchObject({
      factors: [{ name: 'New phone' }],
      recovery_codes: { remaining: 8 },
    })
  })

  test('13.6 takes all factors along when it is deleted', async () => {
    const ada = await app.signUp()
    const { token } = await enrol(app, ada.grant.access_token)
    await waitingLogin(app, ada)
    const tables = ['totpFactors', 'recoveryCodes', 'factorAccounts', 'factorChallenges'] as const
    for (const table of tables) expect(await app.rows[table].count()).toBeGreaterThan(0)
    const json = { password: ada.password }
    expect((await app.request('POST', '/users/me/delete', { token, json })).status).toBe(204)
    for (const table of tables) expect([table, await app.rows[table].count()]).toEqual([table, 0])
  })
})
