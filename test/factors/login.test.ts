import { expect, test } from 'bun:test'
import { MINUTE, SECOND } from '../../src/lib/clock.ts'
import { audit, decode, login } from '../sessions/support.ts'
import { describeApp } from '../support/hooks.ts'
import { expectRefusal } from '../support/refusal.ts'
import { answerLogin, waitingLogin } from './support.ts'

const STEP = 30 * SECOND

describeApp('a login with a second factor', {}, (app) => {
  test('F36 a right password gives a token for the second factor and no session, and the code ends the login', async () => {
    const ada = await app.signUp()
    const phone = await app.factors.addApp(ada.id)
    const sessions = await app.rows.sessions.count()
    const devices = await app.rows.devices.count()
    const refused = await login(app, ada)
    const problem = await expectRefusal(refused, 'mfa_required')
    expect(refused.headers.get('cache-control')).toBe('no-store')
    expect(refused.headers.get('www-authenticate')).toBeNull()
    expect(problem).toMatchObject({ error: 'mfa_required', expires_in: 300, methods: ['totp'] })
    expect(problem.mfa_token).toMatch(/^kwf_[A-Za-z0-9_-]{43}$/)
    expect([await app.rows.sessions.count(), await app.rows.devices.count()]).toEqual([sessions, devices])
    expect(await audit(app, 'login.succeeded')).toHaveLength(1)
    expect(await audit(app, 'mfa.challenged')).toHaveLength(1)

    const passed = await answerLogin(app, { mfa_token: problem.mfa_token, otp: phone.code() })
    expect(passed.status).toBe(200)
    const grant = (await passed.json()) as Record<string, string>
    expect(Object.keys(grant).sort()).toEqual([
      'access_token',
      'device_token',
      'expires_in',
      'refresh_token',
      'token_type',
    ])
    const { payload } = decode(grant.access_token!)
    expect(payload).toMatchObject({ amr: ['pwd', 'otp', 'mfa'], acr: 'aal2' })
    const [event] = (await audit(app, 'login.succeeded')).slice(-1)
    expect(JSON.parse(event!.details!)).toEqual({ amr: 'pwd otp mfa' })
    expect(JSON.parse((await audit(app, 'mfa.passed'))[0]!.details!)).toEqual({ method: 'totp', factor: 't1' })
    // Nothing is left of the login that waited.
    expect(await app.rows.factorChallenges.count()).toBe(0)
    await expectRefusal(
      await answerLogin(app, { mfa_token: problem.mfa_token, otp: phone.code(1) }),
      'mfa_token_expired',
    )
  })

  test('F3 a code works once, also at the next login', async () => {
    const ada = await app.signUp()
    const phone = await app.factors.addApp(ada.id)
    const code = phone.code()
    expect((await answerLogin(app, { mfa_token: await waitingLogin(app, ada), otp: code })).status).toBe(200)
    await expectRefusal(await answerLogin(app, { mfa_token: await waitingLogin(app, ada), otp: code }), 'invalid_code')
    await app.clock.advance(STEP)
    expect((await answerLogin(app, { mfa_token: await waitingLogin(app, ada), otp: phone.code() })).status).toBe(200)
  })

  test('the mfa_token ends after five wrong codes, after five minutes, and with the sessions of the user', async () => {
    const ada = await app.signUp()
    const phone = await app.factors.addApp(ada.id)
    const first = await waitingLogin(app, ada)
    for (let at = 0; at < 5; at++)
      await expectRefusal(await answerLogin(app, { mfa_token: first, otp: '000000' }), 'invalid_code')
    await expectRefusal(await answerLogin(app, { mfa_token: first, otp: phone.code() }), 'mfa_token_expired')
    const second = await waitingLogin(app, ada)
    await app.clock.advance(5 * MINUTE)
    await expectRefusal(await answerLogin(app, { mfa_token: second, otp: phone.code() }), 'mfa_token_expired')
    const third = await waitingLogin(app, ada)
    await app.admin.setPassword(ada.id, 'another good password')
    await expectRefusal(await answerLogin(app, { mfa_token: third, otp: phone.code() }), 'mfa_token_expired')
    await expectRefusal(await answerLogin(app, { mfa_token: 'kwf_nonsense', otp: phone.code() }), 'mfa_token_expired')
  })

  test('a code beside the password ends the login in one request, and is looked at after a right password only', async () => {
    const ada = await app.signUp()
    const phone = await app.factors.addApp(ada.id)
    const code = phone.code()
    await expectRefusal(await login(app, { ...ada, password: 'wrong password' }, { otp: code }), 'invalid_credentials')
    expect((await login(app, ada, { otp: code })).status).toBe(200)
    // That step is used.
    const again = await expectRefusal(await login(app, ada, { otp: code }), 'mfa_required')
    await app.clock.advance(STEP)
    expect((await answerLogin(app, { mfa_token: again.mfa_token, otp: phone.code() })).status).toBe(200)
    expect(await audit(app, 'mfa.failed')).toHaveLength(1)
    const bea = await app.signUp('bea')
    expect((await login(app, bea, { otp: '123456' })).status).toBe(200)
  })
})
