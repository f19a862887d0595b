import { expect, test } from 'bun:test'
import type { TestApp } from '../support/app.ts'
import { describeEachDialect } from '../support/dialects.ts'
import { transactionGate } from '../support/replace.ts'
import type { SmtpSink } from '../support/smtp.ts'
import { appsWithMail, codeIn, errorOf, mailTo, tokenIn } from './support.ts'

const env = { REQUIRE_EMAIL_VERIFICATION: 'true' }
const PASSWORD = 'correct horse battery'
const INVALID = [400, 'invalid_or_expired']
const AT_ONCE = 24

const verify = (app: TestApp, json: object) => app.request('POST', '/email/verify', { json })

/** Registers, and returns what the mail holds. */
async function begin(app: TestApp, sink: SmtpSink, username: string, email = 'ada@example.com') {
  const answer = await app.request('POST', '/register', { json: { email, username, password: PASSWORD } })
  expect(answer.status).toBe(202)
  const { challenge_id } = (await answer.json()) as { challenge_id: string }
  await app.process.deliverMail()
  const mail = mailTo(sink, email)
  return { token: tokenIn(mail), code: { challenge_id, code: codeIn(mail) } }
}

const count = (answers: Response[], status: number) => answers.filter((answer) => answer.status === status).length

describeEachDialect('registrations that are completed at once', (dialect) => {
  const withMail = appsWithMail()
  const open = (options: Parameters<typeof withMail>[1] = {}) => withMail(dialect, { ...options, env })

  test('13.4 13.6 of 24 registrations with one address, one becomes an account, and none is left', async () => {
    const { app, sink } = await open()
    const begun = []
    for (let at = 0; at < AT_ONCE; at++) begun.push(await begin(app, sink, `ada${at}`))
    const answers = await Promise.all(begun.map(({ token }) => verify(app, { token, password: PASSWORD })))
    expect([count(answers, 200), count(answers, 400)]).toEqual([1, AT_ONCE - 1])
    for (const answer of answers.filter(({ status }) => status === 400)) expect(await errorOf(answer)).toEqual(INVALID)
    expect(await app.rows.users.count()).toBe(1)
    expect(await app.rows.pendingRegistrations.count()).toBe(0)
    const events = (await app.rows.auditEvents.all()).map(({ event }) => event)
    expect(events.filter((event) => event === 'user.registered')).toHaveLength(1)
  })

  test('13.4 13.6 of 24 registrations with one username, one gets it, and the others wait for another name', async () => {
    const { app, sink } = await open()
    const begun = []
    for (let at = 0; at < AT_ONCE; at++) begun.push(await begin(app, sink, 'ada', `ada${at}@example.com`))
    const answers = await Promise.all(begun.map(({ token }) => verify(app, { token, password: PASSWORD })))
    expect([count(answers, 200), count(answers, 409)]).toEqual([1, AT_ONCE - 1])
    expect(await app.rows.users.count({ usernameKey: 'ada' })).toBe(1)
    expect(await app.rows.pendingRegistrations.count()).toBe(AT_ONCE - 1)
    const at = answers.findIndex(({ status }) => status === 409)
    expect((await verify(app, { token: begun[at]!.token, password: PASSWORD, username: 'other' })).status).toBe(200)
  })

  test('13.4 a registration that was completed meanwhile makes no second account, though its address is free again', async () => {
    const gate = transactionGate()
    const { app, sink } = await open({ replace: { store: gate.replacement } })
    const { token, code } = await begin(app, sink, 'ada')
    const late = await gate.pass(
      () => verify(app, { ...code, new_password: 'another good one', username: 'late' }),
      async () => {
        const first = await verify(app, { token, password: PASSWORD })
        await app.admin.deleteUser(((await first.json()) as { id: number }).id)
      },
    )
    expect(await errorOf(late)).toEqual(INVALID)
    expect(await app.rows.users.count()).toBe(0)
  })

  test('13.4 of two proofs of one registration, by the first mail and by another, one counts', async () => {
    const gate = transactionGate()
    const { app, sink } = await open({ replace: { store: gate.replacement } })
    const { code } = await begin(app, sink, 'ada')
    await app.clock.advance(61_000)
    await app.request('POST', '/email/verification', { json: { email: 'ada@example.com' } })
    await app.process.deliverMail()
    const token = tokenIn(mailTo(sink, 'ada@example.com'))
    const late = await gate.pass(
      () => verify(app, { ...code, new_password: 'another good one', username: 'late' }),
      async () => {
        const first = await verify(app, { token, password: PASSWORD })
        expect(first.status).toBe(200)
        const user = (await first.json()) as { id: number }
        // Only the address is given up: the proof by the code stays as it is.
        await app.rows.users.change({ id: user.id }, { email: 'other@example.com', emailKey: 'other@example.com' })
      },
    )
    expect(await errorOf(late)).toEqual(INVALID)
    expect(await app.rows.users.count()).toBe(1)
  })

  test('13.4 a link that a newer mail voids during the proof creates no account', async () => {
    const gate = transactionGate()
    const { app, sink } = await open({ replace: { store: gate.replacement } })
    const { token } = await begin(app, sink, 'ada')
    const refused = await gate.pass(
      () => verify(app, { token, password: PASSWORD }),
      async () => {
        await app.clock.advance(61_000)
        await app.request('POST', '/email/verification', { json: { email: 'ada@example.com' } })
        await app.process.deliverMail()
      },
    )
    expect(await errorOf(refused)).toEqual(INVALID)
    expect(await app.rows.users.count()).toBe(0)
    expect((await verify(app, { token: tokenIn(mailTo(sink, 'ada@example.com')), password: PASSWORD })).status).toBe(
      200,
    )
  })
})
