import { expect, test } from 'bun:test'
import { MINUTE, SECOND } from '../../src/lib/clock.ts'
import { grant as grantToClient, signIn } from '../sessions/kinds.ts'
import { audit, decode, loggedIn, me, refresh, refreshed, sessionIdOf } from '../sessions/support.ts'
import type { SignedUp, TestApp } from '../support/app.ts'
import { describeApp } from '../support/hooks.ts'
import { expectRefusal } from '../support/refusal.ts'

type Pair = { access_token: string; refresh_token: string }

const stepUp = (app: TestApp, token: string, json: object) => app.request('POST', '/token/step-up', { token, json })

async function steppedUp(app: TestApp, token: string, json: object): Promise<Pair> {
  const response = await stepUp(app, token, json)
  expect(response.status).toBe(200)
  const pair = (await response.json()) as Pair
  expect(Object.keys(pair).sort()).toEqual(['access_token', 'expires_in', 'refresh_token', 'token_type'])
  return pair
}

/** What needs a fresh session and changes nothing. */
const isFresh = async (app: TestApp, token: string, json: object = {}): Promise<boolean> =>
  (await app.request('POST', '/users/me/export', { token, json })).status === 200

const rowOf = (app: TestApp, { access_token: token }: { access_token: string }) =>
  app.rows.sessions.one({ id: decode(token).payload.sid as string })

describeApp('POST /token/step-up', {}, (app) => {
  test('DECISIONS 9 a code makes the same session fresh and raises its level; older tokens keep theirs', async () => {
    const ada = await app.signUp()
    const phone = await app.factors.addApp(ada.id)
    const codes = await app.factors.makeCodes(ada.id)
    const former = ada.grant as SignedUp['grant'] & Pair
    expect(await isFresh(app, former.access_token)).toBe(false)
    await app.clock.advance(20 * MINUTE)
    const pair = await steppedUp(app, former.access_token, { otp: phone.code() })
    const { payload } = decode(pair.access_token)
    expect(payload).toMatchObject({ sid: sessionIdOf(former), gen: 1, acr: 'aal2', amr: ['pwd', 'otp', 'mfa'] })
    expect(payload.auth_time).toBe(app.clock.now() / SECOND)
    expect(await isFresh(app, pair.access_token)).toBe(true)
    expect(decode(former.access_token).payload.acr).toBe('aal1')
    expect(await isFresh(app, former.access_token)).toBe(false)
    expect(await me(app, former.access_token)).toBe(200)
    expect(await rowOf(app, pair)).toMatchObject({ mfaTime: app.clock.now(), authTime: app.clock.now() })

    // A refresh keeps the level and the times.
    const next = await refreshed(app, pair.refresh_token)
    expect(decode(next.access_token).payload).toMatchObject({ gen: 2, acr: 'aal2', auth_time: payload.auth_time })
    await app.clock.advance(15 * MINUTE + SECOND)
    expect(await isFresh(app, next.access_token)).toBe(false)
    const again = await steppedUp(app, next.access_token, { recovery_code: codes[0] })
    expect(decode(again.access_token).payload.amr).toEqual(['pwd', 'otp', 'recovery', 'mfa'])
    expect(await isFresh(app, again.access_token)).toBe(true)
    const events = (await audit(app, 'session.stepped_up')).map(({ details }) => JSON.parse(details!))
    expect(events).toEqual([{ method: 'totp', factor: 't1' }, { method: 'recovery_code' }])
    expect(await app.rows.sessions.count({ userId: ada.id })).toBe(1)
  })

  test('A7.2.4 the refresh token is replaced, and no copy of a former one gets the higher level', async () => {
    const ada = await app.signUp()
    const phone = await app.factors.addApp(ada.id)
    const former = ada.grant as Pair
    const pair = await steppedUp(app, former.access_token, { otp: phone.code() })
    expect(pair.refresh_token).not.toBe(former.refresh_token)
    // The login was a moment ago, but a copy of its access token has not risen with the session.
    expect([await isFresh(app, pair.access_token), await isFresh(app, former.access_token)]).toEqual([true, false])
    // At once, which is within the grace period of a lost answer, and later.
    await expectRefusal(await refresh(app, former.refresh_token), 'invalid_refresh_token')
    await app.clock.advance(11 * SECOND)
    await expectRefusal(await refresh(app, former.refresh_token), 'invalid_refresh_token')
    expect(await me(app, pair.access_token)).toBe(200)
    expect(decode((await refreshed(app, pair.refresh_token)).access_token).payload.acr).toBe('aal2')
  })

  test('F14 wrong codes count for the account, and a used code is wrong', async () => {
    const ada = await app.signUp()
    const phone = await app.factors.addApp(ada.id)
    const code = phone.code()
    const { access_token: token } = await loggedIn(app, ada, { otp: code })
    await expectRefusal(await stepUp(app, token, { otp: code }), 'invalid_code')
    await expectRefusal(await stepUp(app, token, { recovery_code: 'aaaa-bbbb-cccc-dddd' }), 'invalid_code')
    expect(await app.rows.factorAccounts.one({ userId: ada.id })).toMatchObject({ failedInRow: 1 })
    const failed = (await audit(app, 'mfa.failed')).map(({ sessionId, details }) => [sessionId, JSON.parse(details!)])
    const { sid } = decode(token).payload
    expect(failed).toEqual([
      [sid, { method: 'totp' }],
      [sid, { method: 'recovery_code' }],
    ])
    await app.clock.advance(30 * SECOND)
    await steppedUp(app, token, { otp: phone.code() })
    expect(await app.rows.factorAccounts.one({ userId: ada.id })).toMatchObject({ failedInRow: 0 })
  })

  test('a password renews the first factor only', async () => {
    const [ada, bea] = [await app.signUp('ada'), await app.signUp('bea')]
    await app.clock.advance(20 * MINUTE)
    const token = ada.grant.access_token
    expect(await isFresh(app, token)).toBe(false)
    await expectRefusal(await stepUp(app, token, { password: 'wrong password' }), 'invalid_password')
    const pair = await steppedUp(app, token, { password: ada.password })
    expect(decode(pair.access_token).payload).toMatchObject({ acr: 'aal1', amr: ['pwd'], gen: 1 })
    expect(await isFresh(app, pair.access_token)).toBe(true)
    expect(await rowOf(app, pair)).toMatchObject({ mfaTime: null })

    await app.factors.addApp(bea.id)
    const hers = await steppedUp(app, bea.grant.access_token, { password: bea.password })
    expect(decode(hers.access_token).payload.acr).toBe('aal1')
    expect(await isFresh(app, hers.access_token)).toBe(false)
  })

  test('a token with a fresh password and an old factor stays so when the factor is checked in the session', async () => {
    const ada = await app.signUp()
    const phone = await app.factors.addApp(ada.id)
    const former = await loggedIn(app, ada, { otp: phone.code() })
    await app.clock.advance(16 * MINUTE)
    const copied = await steppedUp(app, former.access_token, { password: ada.password })
    expect(decode(copied.access_token).payload.acr).toBe('aal2')
    expect(await isFresh(app, copied.access_token)).toBe(false)
    await app.clock.advance(SECOND)
    const pair = await steppedUp(app, copied.access_token, { otp: phone.code() })
    expect(await isFresh(app, pair.access_token)).toBe(true)
    expect(await isFresh(app, copied.access_token, { password: ada.password })).toBe(false)
  })

  test('an empty body asks for the methods, and two answers are refused', async () => {
    const ada = await app.signUp()
    const token = ada.grant.access_token
    const ask = async () => (await stepUp(app, token, {})).json() as Promise<unknown>
    expect(await ask()).toEqual({ methods: ['password'] })
    const phone = await app.factors.addApp(ada.id)
    await app.factors.makeCodes(ada.id)
    expect(await ask()).toEqual({ methods: ['totp', 'recovery_code'] })
    const two = await stepUp(app, token, { otp: phone.code(), password: ada.password })
    await expectRefusal(two, 'invalid_request')
    await steppedUp(app, token, { otp: phone.code(), password: null, recovery_code: '' })
  })

  test('an ended session is not raised, and the code is not used up', async () => {
    const ada = await app.signUp()
    const phone = await app.factors.addApp(ada.id)
    const caller = await app.process.sessions.authenticate(ada.grant.access_token)
    await app.request('POST', '/logout', { token: ada.grant.access_token })
    const answer = { otp: phone.code() }
    const shown = { answer, ip: '192.0.2.1' }
    await expect(app.process.sessions.stepUp(caller, shown)).rejects.toMatchObject({
      code: 'invalid_token',
    })
    expect(await app.rows.factorAccounts.one({ userId: ada.id })).toMatchObject({ failedInRow: 0 })
    await loggedIn(app, ada, answer)
  })

  test('G3 a browser session gets another cookie, and its id, its end and its clients stay', async () => {
    const ada = await app.signUp()
    const browser = await signIn(app, ada, { isRemembered: true })
    const phone = await app.factors.addApp(ada.id)
    const user = await app.admin.user(ada.id)
    const { sessions } = app.process
    const client = await grantToClient(app, ada, { parent: browser })
    const { createdAt } = (await sessions.findByCookie(browser.cookie))!
    await app.clock.advance(MINUTE)
    const raised = await sessions.stepUp(
      { userId: ada.id, sessionId: browser.id, user },
      { answer: { otp: phone.code() }, ip: '192.0.2.1' },
    )
    if (!('cookie' in raised)) throw new Error('no cookie')
    expect(raised.isRemembered).toBe(true)
    expect(raised.cookie).not.toBe(browser.cookie)
    expect(await sessions.findByCookie(browser.cookie)).toBeUndefined()
    expect(await sessions.findByCookie(raised.cookie)).toMatchObject({
      id: browser.id,
      acr: 'aal2',
      amr: ['pwd', 'otp', 'mfa'],
      authTime: app.clock.now(),
      createdAt,
    })
    expect(await app.rows.sessions.one({ id: client.id })).toMatchObject({ parentId: browser.id, endedAt: null })
  })
})
