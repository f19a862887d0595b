import { expect, test } from 'bun:test'
import { HOUR, MINUTE } from '../../src/lib/clock.ts'
import { audit, loggedIn, login } from '../sessions/support.ts'
import type { TestApp } from '../support/app.ts'
import { describeApp } from '../support/hooks.ts'
import { expectRefusal } from '../support/refusal.ts'
import { answerLogin, waitingLogin } from './support.ts'

const mailsOf = (app: TestApp, kind: string) => app.rows.mails.count({ kind })
const stepUp = (app: TestApp, token: string, json: object) => app.request('POST', '/token/step-up', { token, json })

describeApp('wrong codes in a row', { mailbox: true }, (app) => {
  test('F12 the fifth is told to the owner by mail, once, and a right one begins a new row', async () => {
    const ada = await app.signUp()
    const phone = await app.factors.addApp(ada.id)
    for (let at = 1; at <= 6; at++) {
      await expectRefusal(
        await answerLogin(app, { mfa_token: await waitingLogin(app, ada), otp: '000000' }),
        'invalid_code',
      )
      expect([at, await mailsOf(app, 'wrong_codes')]).toEqual([at, at < 5 ? 0 : 1])
    }
    expect(await app.rows.factorAccounts.one({ userId: ada.id })).toMatchObject({ failedInRow: 6, lockedAt: null })
    await loggedIn(app, ada, { otp: phone.code() })
    expect(await app.rows.factorAccounts.one({ userId: ada.id })).toMatchObject({ failedInRow: 0 })
    // A wrong password is no wrong code, and a wrong code no wrong password.
    await expectRefusal(
      await login(app, { ...ada, password: 'wrong password' }, { otp: '000000' }),
      'invalid_credentials',
    )
    expect(await app.rows.factorAccounts.one({ userId: ada.id })).toMatchObject({ failedInRow: 0 })
  })

  test('F11, F13 100 lock the codes, a right one too, until a recovery code or a passkey is shown', async () => {
    const ada = await app.signUp()
    const phone = await app.factors.addApp(ada.id)
    const [first] = await app.factors.makeCodes(ada.id)
    const key = await app.factors.addPasskey(ada.id, { kind: 'security_key' })
    const lockNow = async () => {
      await app.rows.factorAccounts.change({ userId: ada.id }, { failedInRow: 99 })
      await expectRefusal(
        await answerLogin(app, { mfa_token: await waitingLogin(app, ada), otp: '000000' }),
        'invalid_code',
      )
    }
    await expectRefusal(
      await answerLogin(app, { mfa_token: await waitingLogin(app, ada), otp: '000000' }),
      'invalid_code',
    )
    await lockNow()
    expect(await audit(app, 'factor.locked')).toHaveLength(1)
    expect(await mailsOf(app, 'codes_locked')).toBe(1)
    const problem = await expectRefusal(await login(app, ada, { otp: phone.code() }), 'mfa_required')
    expect(problem).toMatchObject({ methods: ['webauthn', 'recovery_code'] })
    const token = ada.grant.access_token
    for (const answer of [
      await answerLogin(app, { mfa_token: problem.mfa_token, otp: phone.code() }),
      await stepUp(app, token, { otp: phone.code() }),
    ])
      await expectRefusal(answer, 'totp_locked')
    const passed = await answerLogin(app, { mfa_token: problem.mfa_token, recovery_code: first })
    expect(passed.status).toBe(200)
    expect(await audit(app, 'factor.unlocked')).toHaveLength(1)
    await loggedIn(app, ada, { otp: phone.code() })

    await lockNow()
    const asked = (await expectRefusal(await login(app, ada), 'mfa_required')) as unknown as {
      mfa_token: string
      webauthn: Parameters<typeof key.get>[0]
    }
    // A wrong answer of WebAuthn counts nowhere.
    const wrong = { mfa_token: asked.mfa_token, webauthn: key.get(asked.webauthn, { origin: 'https://evil.example' }) }
    await expectRefusal(await answerLogin(app, wrong), 'webauthn_failed')
    expect(await app.rows.factorAccounts.one({ userId: ada.id })).toMatchObject({ failedInRow: 100 })
    const again = (await (await answerLogin(app, { mfa_token: asked.mfa_token })).json()) as typeof asked
    const right = { mfa_token: asked.mfa_token, webauthn: key.get(again.webauthn) }
    expect((await answerLogin(app, right)).status).toBe(200)
    await app.clock.advance(MINUTE)
    await loggedIn(app, ada, { otp: phone.code() })
  })
})

describeApp('the limits of an account with a second factor', { env: { RATE_LIMIT: 'on' } }, (app) => {
  test('M3: wrong codes count together wherever they are sent, and hinder no other factor', async () => {
    const ada = await app.signUp()
    const token = ada.grant.access_token
    const phone = await app.factors.addApp(ada.id)
    const [code] = await app.factors.makeCodes(ada.id)
    const first = await waitingLogin(app, ada)
    await expectRefusal(await answerLogin(app, { mfa_token: first, otp: '000000' }), 'invalid_code')
    await expectRefusal(await stepUp(app, token, { otp: '000000' }), 'invalid_code')
    await expectRefusal(await login(app, ada, { otp: '000000' }), 'mfa_required')
    await expectRefusal(
      await answerLogin(app, { mfa_token: await waitingLogin(app, ada), otp: '000000' }),
      'invalid_code',
    )
    await expectRefusal(await answerLogin(app, { mfa_token: first, otp: '000000' }), 'invalid_code')
    // The sixth is not looked at, from whatever network, and a right one neither.
    const limited = await app.request('POST', '/token/mfa', {
      json: { mfa_token: first, otp: phone.code() },
      peer: '198.51.100.77',
    })
    await expectRefusal(limited, 'rate_limited')
    await expectRefusal(await stepUp(app, token, { otp: phone.code() }), 'rate_limited')
    // It did not use up a try, and is not one in the row.
    expect(await app.rows.factorAccounts.one({ userId: ada.id })).toMatchObject({ failedInRow: 5 })
    expect((await answerLogin(app, { mfa_token: first, recovery_code: code })).status).toBe(200)
    await app.clock.advance(10 * MINUTE)
    await loggedIn(app, ada, { otp: phone.code() })
  })

  test('F15 an account has 30 logins that wait in an hour', async () => {
    const ada = await app.signUp()
    await app.factors.addApp(ada.id)
    for (let at = 0; at < 30; at++) await waitingLogin(app, ada)
    await expectRefusal(await login(app, ada), 'rate_limited')
    expect(await app.rows.factorChallenges.count()).toBe(30)
    await app.clock.advance(HOUR)
    await waitingLogin(app, ada)
    // What has expired is deleted.
    await app.process.cleanUp()
    expect(await app.rows.factorChallenges.count()).toBe(1)
  })
})
