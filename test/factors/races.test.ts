import { expect, test } from 'bun:test'
import { MINUTE } from '../../src/lib/clock.ts'
import { audit, loggedIn, me, type Pair, refresh } from '../sessions/support.ts'
import type { TestApp } from '../support/app.ts'
import { describeApp } from '../support/hooks.ts'
import { answerLogin, waitingLogin } from './support.ts'

const MANY = 24
const times = <T>(count: number, work: (at: number) => T): T[] => Array.from({ length: count }, (_, at) => work(at))
const statusesOf = async (answers: readonly Promise<Response>[]) =>
  (await Promise.all(answers)).map(({ status }) => status).sort()
const oneOf = (count: number, success: number, refusal: number) => [success, ...times(count - 1, () => refusal)]
const sessionsOf = (app: TestApp, userId: number) => app.rows.sessions.count({ userId })

describeApp('answers at the same moment', {}, (app) => {
  test('M2: one code in 24 logins begins one session', async () => {
    const ada = await app.signUp()
    const phone = await app.factors.addApp(ada.id)
    const tokens: string[] = []
    for (let at = 0; at < MANY; at++) tokens.push(await waitingLogin(app, ada))
    const otp = phone.code()
    const before = await sessionsOf(app, ada.id)
    const statuses = await statusesOf(tokens.map((mfa_token) => answerLogin(app, { mfa_token, otp })))
    expect(statuses).toEqual(oneOf(MANY, 200, 400))
    expect(await sessionsOf(app, ada.id)).toBe(before + 1)
    expect(await audit(app, 'mfa.passed')).toHaveLength(1)
    expect(await audit(app, 'mfa.failed')).toHaveLength(MANY - 1)
  })

  test('M4: one login that gets 24 right answers, or two of different kinds, begins one session', async () => {
    const ada = await app.signUp()
    const phone = await app.factors.addApp(ada.id)
    const [code] = await app.factors.makeCodes(ada.id)
    const before = await sessionsOf(app, ada.id)
    const first = await waitingLogin(app, ada)
    const otp = phone.code()
    const same = await statusesOf(times(MANY, () => answerLogin(app, { mfa_token: first, otp })))
    expect(same).toEqual(oneOf(MANY, 200, 400))
    await app.clock.advance(MINUTE)
    const second = await waitingLogin(app, ada)
    const answers = [{ otp: phone.code() }, { recovery_code: code }]
    const two = await statusesOf(answers.map((answer) => answerLogin(app, { mfa_token: second, ...answer })))
    expect(two).toEqual([200, 400])
    expect(await sessionsOf(app, ada.id)).toBe(before + 2)
    // What did not begin a session is not used up.
    const used = await app.rows.recoveryCodes.all({ userId: ada.id })
    const passed = (await audit(app, 'mfa.passed')).map(({ details }) => JSON.parse(details!).method)
    expect(used.filter(({ usedAt }) => usedAt !== null)).toHaveLength(passed[1] === 'recovery_code' ? 1 : 0)
  })

  test('M9: one recovery code in 24 logins begins one session', async () => {
    const ada = await app.signUp()
    await app.factors.addApp(ada.id)
    const [recovery_code] = await app.factors.makeCodes(ada.id)
    const tokens: string[] = []
    for (let at = 0; at < MANY; at++) tokens.push(await waitingLogin(app, ada))
    const statuses = await statusesOf(tokens.map((mfa_token) => answerLogin(app, { mfa_token, recovery_code })))
    expect(statuses).toEqual(oneOf(MANY, 200, 400))
    expect(await audit(app, 'recovery_code.used')).toHaveLength(1)
  })

  test('F3 one code in 24 step-ups raises one session once', async () => {
    const ada = await app.signUp()
    const phone = await app.factors.addApp(ada.id)
    const token = ada.grant.access_token
    const otp = phone.code()
    const statuses = await statusesOf(
      times(MANY, () => app.request('POST', '/token/step-up', { token, json: { otp } })),
    )
    expect(statuses).toEqual(oneOf(MANY, 200, 400))
    expect(await app.rows.sessions.one({ userId: ada.id })).toMatchObject({ generation: 1 })
  })

  test('a step-up beside a logout leaves nothing that works', async () => {
    const ada = await app.signUp()
    const phone = await app.factors.addApp(ada.id)
    const token = ada.grant.access_token
    const [stepped, out] = await Promise.all([
      app.request('POST', '/token/step-up', { token, json: { otp: phone.code() } }),
      app.request('POST', '/logout', { token }),
    ])
    expect(out.status).toBe(204)
    expect([200, 401]).toContain(stepped.status)
    if (stepped.status === 200) {
      const pair = (await stepped.json()) as Pair
      expect([await me(app, pair.access_token), (await refresh(app, pair.refresh_token)).status]).toEqual([401, 400])
    }
  })

  test('a step-up beside a refresh keeps one session, which goes on with the tokens of the step-up', async () => {
    const ada = await app.signUp()
    const phone = await app.factors.addApp(ada.id)
    const token = ada.grant.access_token
    const [stepped, refreshed] = await Promise.all([
      app.request('POST', '/token/step-up', { token, json: { otp: phone.code() } }),
      refresh(app, ada.grant.refresh_token!),
    ])
    // A refresh that comes later finds its token void.
    expect(stepped.status).toBe(200)
    expect([200, 400]).toContain(refreshed.status)
    const pair = (await stepped.json()) as Pair
    expect(await me(app, pair.access_token)).toBe(200)
    expect((await refresh(app, pair.refresh_token)).status).toBe(200)
  })

  test('F41 a new password beside the answer of a login leaves no session of the old one', async () => {
    const ada = await app.signUp()
    const phone = await app.factors.addApp(ada.id)
    const mfa_token = await waitingLogin(app, ada)
    const [answer] = await Promise.all([
      answerLogin(app, { mfa_token, otp: phone.code() }),
      app.admin.setPassword(ada.id, 'another good password'),
    ])
    expect([200, 400]).toContain(answer.status)
    if (answer.status === 200) expect(await me(app, ((await answer.json()) as Pair).access_token)).toBe(401)
    expect((await app.rows.sessions.all({ userId: ada.id })).filter(({ endedAt }) => endedAt === null)).toEqual([])
    // The second factor stays.
    await app.clock.advance(MINUTE)
    await loggedIn(app, { ...ada, password: 'another good password' }, { otp: phone.code() })
  })
})

describeApp('wrong answers at the same moment', { env: { RATE_LIMIT: 'on' } }, (app) => {
  test('M3: as many are looked at as the account has tries', async () => {
    const ada = await app.signUp()
    await app.factors.addApp(ada.id)
    const tokens = [await waitingLogin(app, ada), await waitingLogin(app, ada), await waitingLogin(app, ada)]
    const answers = times(MANY, (at) => answerLogin(app, { mfa_token: tokens[at % 3]!, otp: '000000' }))
    expect(await statusesOf(answers)).toEqual([...times(5, () => 400), ...times(MANY - 5, () => 429)])
    expect(await app.rows.factorAccounts.one({ userId: ada.id })).toMatchObject({ failedInRow: 5 })
    expect(await audit(app, 'mfa.failed')).toHaveLength(5)
  })
})
