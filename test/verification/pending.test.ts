import { expect, test } from 'bun:test'
import { DAY, MINUTE } from '../../src/lib/clock.ts'
import type { TestApp, TestAppOptions } from '../support/app.ts'
import { describeEachDialect } from '../support/dialects.ts'
import { watchStatements } from '../support/replace.ts'
import type { SmtpSink } from '../support/smtp.ts'
import { appsWithMail, codeIn, errorOf, logIn, mailEnv, tokenIn } from './support.ts'

const env = { REQUIRE_EMAIL_VERIFICATION: 'true' }
const PASSWORD = 'correct horse battery'
const NEW_PASSWORD = 'chosen by the owner of the address'
const email = 'ada@example.com'

interface Asked {
  message: string
  challenge_id: string
  expires_in: number
}

const register = (app: TestApp, json: object, headers: Record<string, string> = {}) =>
  app.request('POST', '/register', { json: { email, username: 'ada', password: PASSWORD, ...json }, headers })
const verify = (app: TestApp, json: object, options: { token?: string; headers?: Record<string, string> } = {}) =>
  app.request('POST', '/email/verify', { json, ...options })

/** Makes an account at once, as an administrator. */
const make = (app: TestApp, username: string, address = `${username}@example.com`) =>
  app.admin.createUser({ username, email: address, password: PASSWORD })

/** Registers, delivers, and returns what the answer and the mail hold. */
async function begin(app: TestApp, sink: SmtpSink, json: object = {}) {
  const answer = await register(app, json)
  expect(answer.status).toBe(202)
  const { challenge_id } = (await answer.json()) as Asked
  await app.process.deliverMail()
  const mail = sink.received.at(-1)!
  return { challenge_id, token: tokenIn(mail), code: codeIn(mail), mail }
}

describeEachDialect('a registration whose address must be proved', (dialect) => {
  const withMail = appsWithMail()
  const open = (options: TestAppOptions & Parameters<typeof withMail>[1] = {}) =>
    withMail(dialect, { ...options, env: { ...env, ...options.env } })

  test('13.6 the proof and the password create the account; before it there is none, and no login', async () => {
    const { app, sink } = await open()
    const answer = await register(app, { name: 'Ada Lovelace', locale: 'de' })
    expect(answer.status).toBe(202)
    expect(answer.headers.get('location')).toBeNull()
    const asked = (await answer.json()) as Asked
    expect(asked).toEqual({
      message: expect.any(String),
      challenge_id: expect.stringMatching(/^[\w-]{20,}$/),
      expires_in: 86_400,
    })
    expect(await app.rows.users.count()).toBe(0)
    expect((await logIn(app, 'ada', PASSWORD)).status).toBe(401)
    expect((await logIn(app, email, PASSWORD)).status).toBe(401)
    await app.process.deliverMail()
    const mail = sink.received.at(-1)!
    expect([mail.to, mail.message.subject]).toEqual([[email], 'Bestätigen Sie Ihre Adresse bei Example'])
    const done = await verify(app, { token: tokenIn(mail), password: PASSWORD })
    const user = (await done.json()) as { id: number }
    expect([done.status, user]).toMatchObject([
      200,
      { email, username: 'ada', name: 'Ada Lovelace', locale: 'de', email_verified: true },
    ])
    expect((await logIn(app, 'ada', PASSWORD)).status).toBe(200)
    const events = (await app.rows.auditEvents.all({ userId: user.id })).map(({ event }) => event)
    expect(events.slice(0, 2)).toEqual(['user.registered', 'email.verified'])
    expect([await app.rows.pendingRegistrations.count(), await app.rows.proofs.count()]).toEqual([0, 0])
    expect(await errorOf(await verify(app, { token: tokenIn(mail), password: PASSWORD }))).toEqual([
      400,
      'invalid_or_expired',
    ])
  })

  test('13.6 a code with its challenge does the same; without a password nothing is used up', async () => {
    const { app, sink } = await open()
    const { challenge_id, code, token } = await begin(app, sink)
    expect(await errorOf(await verify(app, { challenge_id, code }))).toEqual([400, 'proof_required'])
    expect(await errorOf(await verify(app, { token, password: 'a wrong guess' }))).toEqual([403, 'invalid_password'])
    expect(await errorOf(await verify(app, { token, new_password: 'short' }))).toEqual([422, 'validation_failed'])
    expect(await app.rows.users.count()).toBe(0)
    expect((await verify(app, { challenge_id, code, password: PASSWORD })).status).toBe(200)
  })

  test("13.6 nobody's session completes a registration", async () => {
    const { app, sink } = await open()
    const { token } = await begin(app, sink)
    await verify(app, { token, password: PASSWORD })
    const { access_token } = (await (await logIn(app, 'ada', PASSWORD)).json()) as { access_token: string }
    const bob = await begin(app, sink, { email: 'bob@example.com', username: 'bob' })
    const refused = await verify(app, { token: bob.token }, { token: access_token })
    expect(await errorOf(refused)).toEqual([400, 'proof_required'])
    expect((await verify(app, { token: bob.token, password: PASSWORD })).status).toBe(200)
  })

  test('13.6 a known and an unknown address: same answer, statements, rows and hashes', async () => {
    let seen: string[] = []
    let hashes = 0
    const { app } = await open({
      env: { RATE_LIMIT: 'on' },
      replace: {
        store: watchStatements((sql) => seen.push(sql)),
        passwords: (real) => ({
          ...real,
          hash: (...given) => {
            hashes++
            return real.hash(...given)
          },
        }),
      },
    })
    const known = await make(app, 'grace')
    const cost = async (address: string, username: string) => {
      seen = []
      hashes = 0
      const answer = await register(app, { email: address, username })
      const body = (await answer.json()) as Asked
      expect(body.challenge_id).toHaveLength(22)
      return { status: answer.status, body: { ...body, challenge_id: '' }, seen, hashes }
    }
    const ofUnknown = await cost('nobody@example.com', 'nobody')
    const ofKnown = await cost(known.email, 'someone')
    expect(ofUnknown.status).toBe(202)
    expect(ofUnknown.hashes).toBe(1)
    expect(ofKnown).toEqual(ofUnknown)
    expect(ofKnown.seen.filter((sql) => /insert into "(mails|pending_registrations)"/.test(sql))).toHaveLength(2)
    expect(ofKnown.seen.some((sql) => /"email_key" =/.test(sql))).toBe(false)
    const shape = async (id: string) => Object.keys(await app.rows.pendingRegistrations.one({ username: id })).length
    expect(await shape('someone')).toBe(await shape('nobody'))
    // The limits count by the address as typed, so they refuse alike too.
    const again = await Promise.all([
      register(app, { email: known.email, username: 'someone' }),
      register(app, { email: 'nobody@example.com', username: 'nobody' }),
    ])
    const refusals = await Promise.all(
      again.map(async (answer) => [...(await errorOf(answer)), answer.headers.get('ratelimit')]),
    )
    expect(refusals[0]?.slice(0, 2)).toEqual([429, 'rate_limited'])
    expect(refusals[1]).toEqual(refusals[0]!)
  })

  test('13.6 the owner of an address with an account is told, and the code of that mail is never right', async () => {
    const { app, sink } = await open()
    const grace = await make(app, 'grace')
    const { mail, token, challenge_id } = await begin(app, sink, { email: grace.email.toUpperCase(), username: 'eve' })
    expect([mail.to, mail.message.subject, token]).toEqual([
      [grace.email],
      'You already have an account at Example',
      '',
    ])
    expect(mail.message.text).toContain('grace')
    expect(mail.message.text).not.toContain('eve')
    expect(await app.rows.mails.one({ id: challenge_id })).toMatchObject({ kind: 'address_taken', state: 'sent' })
    const decoy = await app.rows.proofs.one({ id: challenge_id })
    expect(decoy).toMatchObject({ userId: null, subject: null, tokenMac: null, tries: 0 })
    const guess = { challenge_id, code: '000000', password: PASSWORD }
    expect(await errorOf(await verify(app, guess))).toEqual([400, 'invalid_or_expired'])
    expect((await app.rows.proofs.one({ id: challenge_id })).tries).toBe(1)
    expect(await app.rows.users.count()).toBe(1)
  })

  test('13.6 the export of an account leaves out what somebody registered with its address', async () => {
    const { app } = await open()
    const grace = await make(app, 'grace')
    await register(app, { email: grace.email, username: 'stranger', name: 'Name Of A Stranger' })
    expect(await app.rows.pendingRegistrations.count()).toBe(1)
    const { access_token: token } = (await (await logIn(app, 'grace', PASSWORD)).json()) as { access_token: string }
    const text = await (await app.request('POST', '/users/me/export', { token, json: {} })).text()
    expect(text).toContain('"username":"grace"')
    expect(text.toLowerCase()).not.toContain('stranger')
    await app.admin.deleteUser(grace.id)
    expect([await app.rows.pendingRegistrations.count(), await app.rows.mails.count()]).toEqual([0, 0])
  })

  test('13.6 who has an account is judged when the mail is sent', async () => {
    const { app, sink } = await open()
    await register(app, { email: 'grace@example.com', username: 'eve' })
    const grace = await make(app, 'grace')
    expect(grace.email).toBe('grace@example.com')
    await app.process.deliverMail()
    expect(sink.received.at(-1)!.message.subject).toBe('You already have an account at Example')
    await register(app, { username: 'ada', email: grace.email })
    await app.admin.deleteUser(grace.id)
    // What waits for an address goes with the account that has it.
    expect(await app.rows.pendingRegistrations.count()).toBe(0)
  })

  test('13.6 a taken or reserved username is 409, a wrong field 422, and neither stores anything', async () => {
    const { app } = await open()
    await make(app, 'ada')
    const bob = await make(app, 'bob')
    await app.admin.deleteUser(bob.id)
    for (const username of ['ada', 'ADA', 'bob'])
      expect(await errorOf(await register(app, { email: 'new@example.com', username }))).toEqual([
        409,
        'username_taken',
      ])
    for (const wrong of [{ email: 'x' }, { username: 'a' }, { password: 'short' }, { name: '' }])
      expect(await errorOf(await register(app, { username: 'eve', ...wrong }))).toEqual([422, 'validation_failed'])
    expect([await app.rows.mails.count(), await app.rows.pendingRegistrations.count()]).toEqual([0, 0])
  })

  test('13.6 a username that was taken meanwhile leaves the token good, for another username', async () => {
    const { app, sink } = await open()
    const { token } = await begin(app, sink)
    await make(app, 'ada', 'other@example.com')
    for (const json of [
      { password: PASSWORD },
      { new_password: NEW_PASSWORD },
      { password: PASSWORD, username: 'ADA' },
    ])
      expect(await errorOf(await verify(app, { token, ...json }))).toEqual([409, 'username_taken'])
    for (const username of ['a', 'admin', PASSWORD])
      expect(await errorOf(await verify(app, { token, password: PASSWORD, username }))).toEqual([
        422,
        'validation_failed',
      ])
    const done = await verify(app, { token, password: PASSWORD, username: ' ada.l ' })
    expect([done.status, await done.json()]).toMatchObject([200, { username: 'ada.l', email }])
  })

  test('13.6 an account that has a username takes no other one with the proof', async () => {
    const { app, sink } = await open()
    const grace = await make(app, 'grace')
    await app.request('POST', '/email/verification', { json: { email: grace.email } })
    await app.process.deliverMail()
    const token = tokenIn(sink.received.at(-1)!)
    const json = { token, password: PASSWORD }
    expect(await errorOf(await verify(app, { ...json, username: 'other' }))).toEqual([422, 'validation_failed'])
    expect((await verify(app, json)).status).toBe(200)
  })

  test('13.8 war story 13: of two registrations with one address only the one whose mail was opened counts', async () => {
    const { app, sink } = await open()
    const attacker = await begin(app, sink, { username: 'mallory', password: 'known to the attacker' })
    const owner = await begin(app, sink)
    const done = await verify(app, { token: owner.token, password: PASSWORD })
    expect([done.status, await done.json()]).toMatchObject([200, { username: 'ada' }])
    for (const name of ['ada', 'mallory', email])
      expect((await logIn(app, name, 'known to the attacker')).status).toBe(401)
    const late = await verify(app, { token: attacker.token, password: 'known to the attacker' })
    expect(await errorOf(late)).toEqual([400, 'invalid_or_expired'])
    const code = { challenge_id: attacker.challenge_id, code: attacker.code, new_password: NEW_PASSWORD }
    expect(await errorOf(await verify(app, code))).toEqual([400, 'invalid_or_expired'])
    expect(await app.rows.pendingRegistrations.count()).toBe(0)
    expect(await app.rows.users.count()).toBe(1)
  })

  test("13.8 war story 13: the password of the one who reads the mail does not complete another's registration", async () => {
    const { app, sink } = await open()
    const owner = await begin(app, sink)
    const attacker = await begin(app, sink, { username: 'mallory', password: 'known to the attacker' })
    // The attacker has no token, and the owner's password is not that of the attacker's registration.
    const mixed = await verify(app, { token: attacker.token, password: PASSWORD })
    expect(await errorOf(mixed)).toEqual([403, 'invalid_password'])
    expect((await verify(app, { token: owner.token, password: PASSWORD })).status).toBe(200)
  })

  test('13.8 war story 13: with a new password nothing stays of who registered but the username', async () => {
    const { app, sink } = await open()
    const planted = { username: 'mallory', password: 'known to the attacker', name: 'Mallory', locale: 'ja' }
    const { token, mail } = await begin(app, sink, planted)
    expect(mail.message.text).toContain('mallory')
    const headers = { 'accept-language': 'fr' }
    const done = await verify(app, { token, new_password: NEW_PASSWORD, username: 'ada' }, { headers })
    expect([done.status, await done.json()]).toMatchObject([200, { username: 'ada', name: null, locale: 'fr' }])
    expect((await logIn(app, 'ada', 'known to the attacker')).status).toBe(401)
    expect((await logIn(app, 'mallory', 'known to the attacker')).status).toBe(401)
    expect((await logIn(app, 'ada', NEW_PASSWORD)).status).toBe(200)
    const rows = JSON.stringify([await app.rows.users.all(), await app.rows.pendingRegistrations.all()])
    expect(rows.toLowerCase()).not.toContain('mallory')
  })

  test('13.8 war story 14: opening the link logs nobody in, and the proof answers with no token', async () => {
    const { app, sink } = await open()
    const { token } = await begin(app, sink)
    for (const method of ['GET', 'HEAD'])
      for (let i = 0; i < 20; i++) {
        const opened = await app.request(method, `/verify?token=${token}`)
        expect(opened.headers.get('set-cookie')).toBeNull()
      }
    const done = await verify(app, { token, new_password: NEW_PASSWORD })
    expect(done.status).toBe(200)
    expect(done.headers.get('set-cookie')).toBeNull()
    expect(Object.keys((await done.json()) as object)).not.toContain('access_token')
    expect(await app.rows.sessions.count()).toBe(0)
  })

  test('13.4 H1: of 24 parallel proofs, with both registrations of an address, one creates the account', async () => {
    const { app, sink } = await open()
    const one = await begin(app, sink)
    const two = await begin(app, sink, { username: 'ada2' })
    const uses = Array.from({ length: 24 }, (_, n) =>
      n % 8 === 0
        ? verify(app, { challenge_id: one.challenge_id, code: one.code, password: PASSWORD })
        : verify(app, { token: n % 2 ? one.token : two.token, password: PASSWORD }),
    )
    const statuses = (await Promise.all(uses)).map(({ status }) => status)
    expect(statuses.filter((status) => status === 200)).toHaveLength(1)
    expect(statuses.filter((status) => status === 400)).toHaveLength(23)
    expect(await app.rows.users.count()).toBe(1)
    expect(await app.rows.pendingRegistrations.count()).toBe(0)
  })

  test('13.4 H1: of parallel proofs of two addresses with one username, one gets it, the other stays good', async () => {
    const { app, sink } = await open()
    const one = await begin(app, sink)
    const two = await begin(app, sink, { email: 'bob@example.com' })
    const answers = await Promise.all([one, two].map(({ token }) => verify(app, { token, password: PASSWORD })))
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 409])
    const { token } = answers[0]!.status === 409 ? one : two
    expect((await verify(app, { token, password: PASSWORD, username: 'other' })).status).toBe(200)
  })

  test('13.6 another mail for the same registration voids the earlier link; the last registration gets it', async () => {
    const { app, sink } = await open()
    const first = await begin(app, sink, { username: 'first' })
    await app.clock.advance(MINUTE)
    const last = await begin(app, sink)
    await app.request('POST', '/email/verification', { json: { email } })
    await app.process.deliverMail()
    const token = tokenIn(sink.received.at(-1)!)
    expect(await errorOf(await verify(app, { token: last.token, password: PASSWORD }))).toEqual([
      400,
      'invalid_or_expired',
    ])
    expect((await app.rows.proofs.all({ subject: first.challenge_id })).map(({ tokenMac }) => tokenMac)).not.toEqual([
      null,
    ])
    expect(await (await verify(app, { token, password: PASSWORD })).json()).toMatchObject({ username: 'ada' })
  })

  test('13.6 a registration ends after 24 hours, with every link, and is deleted', async () => {
    const { app, sink } = await open()
    const { token } = await begin(app, sink)
    await app.clock.advance(DAY - MINUTE)
    await app.request('POST', '/email/verification', { json: { email } })
    await app.process.deliverMail()
    const last = sink.received.at(-1)!
    const { sealedUntil } = (await app.rows.mails.all()).sort((a, b) => b.createdAt - a.createdAt)[0]!
    expect(sealedUntil).toBe(app.clock.now() + MINUTE)
    await app.clock.advance(MINUTE)
    for (const late of [token, tokenIn(last)])
      expect(await errorOf(await verify(app, { token: late, password: PASSWORD }))).toEqual([400, 'invalid_or_expired'])
    expect(await app.rows.pendingRegistrations.count()).toBe(1)
    await app.process.cleanUp()
    expect(await app.rows.pendingRegistrations.count()).toBe(0)
  })

  test('13.1 a registration is answered and not lost while the mail server is down and the process ends', async () => {
    let isDown = true
    const { app, sink } = await open({ smtp: { at: () => (isDown ? 'drop' : undefined) } })
    expect((await register(app, {})).status).toBe(202)
    await app.process.deliverMail()
    expect(sink.received).toHaveLength(0)
    expect((await app.rows.mails.one()).state).toBe('queued')
    isDown = false
    const next = await open({ databaseUrl: app.databaseUrl, clock: app.clock, env: mailEnv(sink) })
    await app.clock.advance(MINUTE)
    await next.app.process.deliverMail()
    expect(sink.received).toHaveLength(1)
    const done = await verify(next.app, { token: tokenIn(sink.received[0]!), password: PASSWORD })
    expect(done.status).toBe(200)
  })

  test('13.1 the mail and the registration are stored together or not at all', async () => {
    let isFailing = false
    const { app } = await open({
      replace: {
        store: (real) => ({
          ...real,
          transaction: (work, origin) =>
            real.transaction(async () => {
              const result = await work()
              if (isFailing) throw new Error('the commit fails')
              return result
            }, origin),
        }),
      },
    })
    isFailing = true
    expect((await register(app, {})).status).toBe(500)
    isFailing = false
    expect([await app.rows.mails.count(), await app.rows.pendingRegistrations.count()]).toEqual([0, 0])
  })

  test('13.6 accounts from before log in as before, and an administrator makes accounts at once', async () => {
    const { app } = await withMail(dialect)
    const { username, password } = await app.signUp('grace')
    const { app: strict } = await open({ databaseUrl: app.databaseUrl, clock: app.clock })
    expect((await logIn(strict, username, password)).status).toBe(200)
    await make(strict, 'bob')
    expect((await logIn(strict, 'bob', PASSWORD)).status).toBe(200)
  })

  test('13.6 the OpenAPI document has both answers of a registration, whatever the setting', async () => {
    const { app } = await open()
    const { paths } = (await (await app.request('GET', '/openapi.json')).json()) as {
      paths: Record<string, { post: { responses: Record<string, unknown> } }>
    }
    const { responses } = paths['/register']!.post
    const refs = ['201', '202'].map((status) => /schemas\/(\w+)/.exec(JSON.stringify(responses[status]))?.[1])
    expect(refs).toEqual(['User', 'RegistrationAsked'])
  })

  test('13.6 a network registers as often as before, and a closed registration is closed', async () => {
    const { app } = await open({ env: { RATE_LIMIT: 'on', LIMITS: 'register.prefix=2/1h' } })
    const statuses: number[] = []
    for (const n of [1, 2, 3])
      statuses.push((await register(app, { username: `u-${n}`, email: `u${n}@example.com` })).status)
    expect(statuses).toEqual([202, 202, 429])
    const { app: closed } = await open({ env: { REGISTRATION: 'closed' } })
    expect(await errorOf(await register(closed, {}))).toEqual([403, 'registration_closed'])
  })
})
