import { expect, test } from 'bun:test'
import { answered } from '../administration/support.ts'
import { answerLogin, waitingLogin } from '../factors/support.ts'
import { audit } from '../sessions/support.ts'
import { createTestApp, type TestApp } from '../support/app.ts'
import { describeApp } from '../support/hooks.ts'
import {
  begin,
  type Confirmed,
  codeOf,
  confirm,
  enrol,
  listed,
  type Pending,
  remove,
  renewCodes,
  wrongCode,
} from './support.ts'

/** Sends `count` requests at once, to two processes of one database by turns. */
async function inTwo(
  app: TestApp,
  count: number,
  request: (on: TestApp, at: number) => Promise<Response>,
  env: Record<string, string> = {},
) {
  const options = { databaseUrl: app.databaseUrl, clock: app.clock, seed: `beside ${count}` }
  const other = await createTestApp({ ...options, env })
  const answers = await Promise.all(Array.from({ length: count }, (_, at) => request(at % 2 ? other : app, at)))
  await other.close()
  return answers
}

const statuses = (answers: readonly Response[]) => answers.map(({ status }) => status).sort()

/** How many of the answers have this status. */
const count = (answers: readonly Response[], status: number) => answers.filter((one) => one.status === status).length

describeApp('changes of factors at the same moment', {}, (app) => {
  test('M5: of many begun apps one waits, and of many confirmations of it one counts and has the recovery codes', async () => {
    const ada = await app.signUp()
    const token = ada.grant.access_token
    const begun = await inTwo(app, 8, (on) => begin(on, token))
    expect(count(begun, 201)).toBe(8)
    const pending = await Promise.all(begun.map(async (answer) => (await answer.json()) as Pending))
    const waiting = `t${(await app.rows.totpFactors.one()).id}`
    const { id, secret } = pending.find((one) => one.id === waiting)!
    const answers = await inTwo(app, 12, (on) => confirm(on, token, id, { code: codeOf(app, secret) }))
    // The others find no app that waits, or that a second factor is due now.
    expect([...new Set(statuses(answers))].filter((status) => ![200, 401, 404].includes(status))).toEqual([])
    expect(count(answers, 200)).toBe(1)
    const confirmed = (await answers.find(({ status }) => status === 200)!.json()) as Confirmed
    expect([await app.rows.recoveryCodes.count(), (await audit(app, 'factor.confirmed')).length]).toEqual([10, 1])
    for (const code of [confirmed.recovery_codes![0]!, confirmed.recovery_codes![9]!])
      expect((await answerLogin(app, { mfa_token: await waitingLogin(app, ada), recovery_code: code })).status).toBe(
        200,
      )
  })

  test('M5: a confirmation while the session ends adds the app and gives tokens, or does neither', async () => {
    for (let round = 0; round < 6; round++) {
      const user = await app.signUp(`user${round}`)
      const token = user.grant.access_token
      const { id, secret } = await answered<Pending>(begin(app, token), 201)
      const ways = [
        () => confirm(app, token, id, { code: codeOf(app, secret) }),
        () => app.request('POST', '/logout', { token }),
      ]
      if (round % 2) ways.reverse()
      const answers = await Promise.all(ways.map((way) => way()))
      const { status } = answers[round % 2]!
      const { confirmedAt } = await app.rows.totpFactors.one({ userId: user.id })
      expect([status, confirmedAt !== null]).toEqual([status === 200 ? 200 : 401, status === 200])
    }
  })

  test('M6: of many removals of one factor one counts, and a new name at that moment does not keep it', async () => {
    const ada = await app.signUp()
    const phone = await enrol(app, ada.grant.access_token)
    const { id, token } = await enrol(app, phone.token, 'Tablet')
    const answers = await inTwo(app, 12, (on, at) =>
      at % 4 === 0
        ? on.request('PATCH', `/users/me/factors/${id}`, { token, json: { name: `Name ${at}` } })
        : remove(on, token, id, { password: ada.password }),
    )
    expect(count(answers, 204)).toBe(1)
    expect([...new Set(statuses(answers))].filter((status) => ![200, 204, 404].includes(status))).toEqual([])
    expect((await listed(app, token)).factors.map((factor) => factor.id)).toEqual([phone.id])
    expect(await audit(app, 'factor.removed')).toHaveLength(1)
    expect(await app.rows.recoveryCodes.count()).toBe(10)
  })

  test('M9: of many new sets of recovery codes one is left, whole', async () => {
    const ada = await app.signUp()
    const { token } = await enrol(app, ada.grant.access_token)
    const answers = await inTwo(app, 6, (on) => renewCodes(on, token))
    expect(count(answers, 201)).toBe(6)
    const sets = await Promise.all(answers.map(async (answer) => ((await answer.json()) as { codes: string[] }).codes))
    expect(await app.rows.recoveryCodes.count()).toBe(10)
    let left = 0
    for (const codes of sets) {
      const answer = await answerLogin(app, { mfa_token: await waitingLogin(app, ada), recovery_code: codes[3] })
      if (answer.status === 200) left++
    }
    expect(left).toBe(1)
  })
})

const required = { REQUIRE_SECOND_FACTOR: 'all' }

describeApp('a rule that wants a factor', { env: required }, (app) => {
  test('F45 keeps one of two factors that are removed at once', async () => {
    const ada = await app.signUp()
    const phone = await enrol(app, ada.grant.access_token)
    const tablet = await enrol(app, phone.token, 'Tablet')
    expect((await listed(app, tablet.token)).required).toBe(true)
    const answers = await inTwo(
      app,
      8,
      (on, at) => remove(on, tablet.token, [phone.id, tablet.id][(at >> 1) % 2]!, { password: ada.password }),
      required,
    )
    expect(count(answers, 204)).toBe(1)
    expect([...new Set(statuses(answers))].filter((status) => ![204, 404, 409].includes(status))).toEqual([])
    const { factors, recovery_codes: codes } = await listed(app, tablet.token)
    expect([factors.length, codes.remaining]).toEqual([1, 10])
  })
})

describeApp('guesses at a confirmation', { env: { RATE_LIMIT: 'on' } }, (app) => {
  test('M3, D5: 24 wrong codes at once are checked five times, and codes of logins count with them', async () => {
    const ada = await app.signUp()
    const token = ada.grant.access_token
    const { id, secret } = await answered<Pending>(begin(app, token), 201)
    const guesses = Array.from({ length: 24 }, () => confirm(app, token, id, { code: wrongCode(app, secret) }))
    const answers = await Promise.all(guesses)
    expect([count(answers, 400), count(answers, 429)]).toEqual([5, 19])
    // The right code has to wait, too.
    expect((await confirm(app, token, id, { code: codeOf(app, secret) })).status).toBe(429)
    const phone = await app.factors.addApp(ada.id)
    const waiting = await waitingLogin(app, ada)
    expect((await answerLogin(app, { mfa_token: waiting, otp: phone.code() })).status).toBe(429)
  })
})
