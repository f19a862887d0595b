import { expect, test } from 'bun:test'
import { HOUR, MINUTE } from '../../src/lib/clock.ts'
import { passkeyLogin } from '../factors/support.ts'
import type { TestApp } from '../support/app.ts'
import { describeEachDialect } from '../support/dialects.ts'
import { expectRefusal } from '../support/refusal.ts'
import type { SmtpSink } from '../support/smtp.ts'
import { appsWithMail, codeIn, errorOf, linkIn, logIn, tokenIn } from './support.ts'

const ask = (app: TestApp, json: object, token?: string) => app.request('POST', '/email/verification', { json, token })
const verify = (app: TestApp, json: object, token?: string) => app.request('POST', '/email/verify', { json, token })

/** Asks for a mail, delivers it, and returns what it holds. */
async function mailFor(app: TestApp, sink: SmtpSink, email: string) {
  const asked = (await (await ask(app, { email })).json()) as { challenge_id: string }
  await app.process.deliverMail()
  const mail = sink.received.at(-1)!
  return { token: tokenIn(mail), challenge_id: asked.challenge_id, code: codeIn(mail), mail }
}

describeEachDialect('the proof of an address', (dialect) => {
  const withMail = appsWithMail()

  test('13.6 a link and the password prove the address; the answer says so, and later mails are not sent', async () => {
    const { app, sink } = await withMail(dialect)
    const { email, password, id, grant } = await app.signUp('ada')
    const { token, mail } = await mailFor(app, sink, email)
    expect(linkIn(mail)).toStartWith('https://auth.example.com/base/verify?token=kwm_')
    const answer = await verify(app, { token, password })
    expect([answer.status, await answer.json()]).toMatchObject([200, { id, email, email_verified: true }])
    expect((await app.request('GET', '/users/me', { token: grant.access_token })).status).toBe(200)
    expect((await app.rows.auditEvents.all({ userId: id })).map(({ event }) => event)).toContain('email.verified')
    await ask(app, { email })
    await app.process.deliverMail()
    expect(sink.received).toHaveLength(1)
    expect(await errorOf(await verify(app, { token, password }))).toEqual([400, 'invalid_or_expired'])
  })

  test('13.6 a code counts with its challenge, and a live session shows whose account it is', async () => {
    const { app, sink } = await withMail(dialect)
    const { email, grant } = await app.signUp('ada')
    const asked = await ask(app, {}, grant.access_token)
    expect([asked.status, await asked.json()]).toEqual([202, { challenge_id: expect.any(String), expires_in: 86_400 }])
    await app.process.deliverMail()
    const { challenge_id, code } = await mailFor(app, sink, email)
    const other = (await mailFor(app, sink, email)).challenge_id
    expect(await errorOf(await verify(app, { challenge_id: other, code }, grant.access_token))).toEqual([
      400,
      'invalid_or_expired',
    ])
    expect((await verify(app, { challenge_id, code }, grant.access_token)).status).toBe(200)
  })

  test('13.6 a proof of the address alone is refused, and uses nothing up', async () => {
    const { app, sink } = await withMail(dialect)
    const { email, password, id } = await app.signUp('ada')
    const bob = await app.signUp('bob')
    const { token, challenge_id, code } = await mailFor(app, sink, email)
    for (const json of [{ token }, { challenge_id, code }, { token, password: null }])
      expect(await errorOf(await verify(app, json))).toEqual([400, 'proof_required'])
    expect(await errorOf(await verify(app, { token }, bob.grant.access_token))).toEqual([400, 'proof_required'])
    expect(await errorOf(await verify(app, { token, password: 'a wrong guess' }))).toEqual([403, 'invalid_password'])
    expect(await errorOf(await verify(app, { token, new_password: 'short' }))).toEqual([422, 'validation_failed'])
    expect(await errorOf(await verify(app, { token, challenge_id, code, password }))).toEqual([
      422,
      'validation_failed',
    ])
    expect(await errorOf(await verify(app, { password }))).toEqual([422, 'validation_failed'])
    expect((await app.rows.users.one({ id })).emailVerifiedAt).toBeNull()
    expect((await app.rows.proofs.one({ id: challenge_id })).tries).toBe(0)
    expect((await verify(app, { token, password })).status).toBe(200)
  })

  test('13.8 H11: war story 13, a new password with the proof drops password, sessions, API keys and factors of who registered', async () => {
    const { app, sink } = await withMail(dialect)
    const { email, password, id, grant } = await app.signUp('ada')
    await app.admin.giveRole(id, 'admin')
    const key = await app.admin.createApiKey({ owner: id, scopes: ['tokens:introspect'] })
    const passkey = await app.factors.addPasskey(id)
    await app.factors.addApp(id)
    const { token } = await mailFor(app, sink, email)
    const answer = await verify(app, { token, new_password: 'chosen by the owner of the address' })
    expect([answer.status, await answer.json()]).toMatchObject([200, { email_verified: true }])
    expect((await logIn(app, 'ada', password)).status).toBe(401)
    expect((await app.request('GET', '/users/me', { token: grant.access_token })).status).toBe(401)
    const json = { refresh_token: grant.refresh_token }
    expect((await app.request('POST', '/token/refresh', { json })).status).toBe(401)
    expect((await app.request('POST', '/introspect', { token: key.text, form: { token: 'x' } })).status).toBe(401)
    await expectRefusal(await passkeyLogin(app, passkey), 'unknown_passkey')
    expect((await logIn(app, 'ada', 'chosen by the owner of the address')).status).toBe(200)
  })

  test('13.8 war story 18: no request of the account itself marks its address as proved', async () => {
    const { app } = await withMail(dialect)
    const { grant, id } = await app.signUp('ada')
    const token = grant.access_token
    const members = {
      email_verified: true,
      emailVerified: true,
      email_verified_at: 1,
      is_verified: true,
      verified: true,
    }
    await app.request('PATCH', '/users/me', { token, json: members })
    await app.request('POST', '/register', {
      json: { email: 'eve@example.com', username: 'eve', password: 'correct horse battery', ...members },
    })
    expect((await app.rows.users.all()).map(({ emailVerifiedAt }) => emailVerifiedAt)).toEqual([null, null])
    expect((await app.rows.users.one({ id })).emailVerifiedAt).toBeNull()
  })

  test('13.4 H1: of 24 parallel uses of one token, one works', async () => {
    const { app, sink } = await withMail(dialect)
    const { email, password } = await app.signUp('ada')
    const { token, challenge_id, code } = await mailFor(app, sink, email)
    const uses = Array.from({ length: 24 }, (_, n) =>
      verify(app, n % 8 ? { token, password } : { challenge_id, code, password }),
    )
    const statuses = (await Promise.all(uses)).map(({ status }) => status)
    expect(statuses.filter((status) => status === 200)).toHaveLength(1)
    expect(statuses.filter((status) => status === 400)).toHaveLength(23)
  })

  test('13.4 H3: the link works for 24 hours, the code for 10 minutes, neither a millisecond more', async () => {
    const { app, sink } = await withMail(dialect)
    const { email, password } = await app.signUp('ada')
    const first = await mailFor(app, sink, email)
    await app.clock.advance(10 * MINUTE)
    const late = { challenge_id: first.challenge_id, code: first.code, password }
    expect(await errorOf(await verify(app, late))).toEqual([400, 'invalid_or_expired'])
    await app.clock.advance(24 * HOUR - 10 * MINUTE)
    expect(await errorOf(await verify(app, { token: first.token, password }))).toEqual([400, 'invalid_or_expired'])
    const second = await mailFor(app, sink, email)
    await app.clock.advance(24 * HOUR - 1)
    expect((await verify(app, { token: second.token, password })).status).toBe(200)
  })

  test('13.4 H4: after five wrong codes the right one is refused, in parallel too; the link still works', async () => {
    const { app, sink } = await withMail(dialect)
    const { email, password } = await app.signUp('ada')
    const { token, challenge_id, code } = await mailFor(app, sink, email)
    const wrong = code === '000000' ? '000001' : '000000'
    const guesses = Array.from({ length: 24 }, () => verify(app, { challenge_id, code: wrong, password }))
    expect((await Promise.all(guesses)).every(({ status }) => status === 400)).toBe(true)
    expect((await app.rows.proofs.one({ id: challenge_id })).tries).toBe(5)
    expect(await errorOf(await verify(app, { challenge_id, code, password }))).toEqual([400, 'invalid_or_expired'])
    expect((await verify(app, { token, password })).status).toBe(200)
  })

  test('13.4 twenty wrong codes a day are the most for one address, over all its mails; known or unknown alike', async () => {
    const env = { RATE_LIMIT: 'on', LIMITS: 'mail.again=off,mail.recipient=off' }
    const { app, sink } = await withMail(dialect, { env })
    const { email, password } = await app.signUp('ada')
    for (const address of [email, 'nobody@example.com']) {
      const answers: number[] = []
      for (let mails = 0; mails < 5; mails++) {
        const asked = (await (await ask(app, { email: address })).json()) as { challenge_id: string }
        await app.process.deliverMail()
        for (let tries = 0; tries < 5; tries++) {
          const json = { challenge_id: asked.challenge_id, code: 'wrong!', password }
          answers.push((await verify(app, json)).status)
        }
      }
      expect(answers).toEqual([...Array(20).fill(400), ...Array(5).fill(429)])
    }
    expect(sink.received).toHaveLength(5)
  })

  test('13.1 the answer for a known and an unknown address is the same but for the challenge', async () => {
    const { app } = await withMail(dialect)
    const { email } = await app.signUp('ada')
    const shape = async (answer: Response) => {
      const { challenge_id, ...rest } = (await answer.json()) as { challenge_id: string }
      const headers = [...answer.headers].filter(([name]) => name !== 'x-request-id')
      return [answer.status, headers, challenge_id.length, rest]
    }
    expect(await shape(await ask(app, { email }))).toEqual(await shape(await ask(app, { email: 'nobody@example.com' })))
    expect(await errorOf(await ask(app, {}))).toEqual([422, 'validation_failed'])
  })
})
