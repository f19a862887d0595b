import { expect, test } from 'bun:test'
import { DAY, HOUR, MINUTE, SECOND } from '../../src/lib/clock.ts'
import { loggedIn, refreshed } from '../sessions/support.ts'
import { describeEachDialect } from '../support/dialects.ts'
import { expectRefusal } from '../support/refusal.ts'
import { watchStatements } from '../support/replace.ts'
import {
  appsWithMail,
  askForAddress,
  changeAddress,
  confirm,
  errorOf,
  forgot,
  linkIn,
  logIn,
  mailTo,
  patch,
  register,
  reset,
  tokenIn,
  undo,
} from './support.ts'

const INVALID = [400, 'invalid_or_expired']

describeEachDialect('the change of an address', (dialect) => {
  const open = appsWithMail()
  const withMail = () => open(dialect)

  test('13.8 H12: nothing changes before the proof; then the address, and the old one gets a link to undo it', async () => {
    const { sink, app } = await withMail()
    const ada = await app.signUp('ada')
    const bearer = ada.grant.access_token
    const other = await loggedIn(app, ada)
    const before = await app.rows.users.one({ id: ada.id })
    const asked = await patch(app, bearer, { email: ' Ada@New.example\t' })
    expect([asked.status, await asked.json()]).toMatchObject([200, { email: ada.email }])
    await app.process.deliverMail()
    expect(await app.rows.users.one({ id: ada.id })).toEqual(before)
    expect(sink.received.map(({ to }) => to)).toEqual([['Ada@new.example']])
    const [mail] = sink.received
    expect(linkIn(mail!)).toMatch(/^https:\/\/auth\.example\.com\/base\/confirm\?token=kwm_[\w-]{43}$/)
    expect((await logIn(app, 'ada@new.example', ada.password)).status).toBe(401)

    const answer = await confirm(app, tokenIn(mail!), bearer)
    expect([answer.status, await answer.json()]).toMatchObject([200, { id: ada.id, email: 'Ada@new.example' }])
    const after = await app.rows.users.one({ id: ada.id })
    expect(after).toMatchObject({
      email: 'Ada@new.example',
      emailKey: 'ada@new.example',
      emailVerifiedAt: app.clock.now(),
    })
    expect(after.passwordHash).toBe(before.passwordHash)
    expect((await app.request('GET', '/users/me', { token: bearer })).status).toBe(200)
    expect((await app.request('GET', '/users/me', { token: other.access_token })).status).toBe(401)
    expect((await logIn(app, 'ADA@new.example', ada.password)).status).toBe(200)
    expect((await logIn(app, ada.email, ada.password)).status).toBe(401)
    // The notice is in the outbox already: the transaction of the change has stored it.
    expect(await app.rows.mails.one({ kind: 'address_changed' })).toMatchObject({
      kind: 'address_changed',
      recipient: ada.email,
    })
    await app.process.deliverMail()
    const notice = mailTo(sink, ada.email)
    expect(notice.message.subject).toBe('The address of your account at Example was changed')
    expect(notice.message.text).toContain('New address: Ada@new.example')
    expect(linkIn(notice)).toMatch(/^https:\/\/auth\.example\.com\/base\/undo\?token=kwm_[\w-]{43}$/)
    expect(await errorOf(await confirm(app, tokenIn(mail!)))).toEqual(INVALID)
    const events = (await app.rows.auditEvents.all({ userId: ada.id })).map(({ event }) => event)
    expect(events).toEqual(expect.arrayContaining(['email.change_requested', 'email.changed']))
  })

  test('13.6 without an access token the confirmation ends all sessions', async () => {
    const { sink, app } = await withMail()
    const ada = await app.signUp('ada')
    expect((await confirm(app, await askForAddress(app, sink, ada.grant.access_token, 'ada@new.example'))).status).toBe(
      200,
    )
    await expectRefusal(await app.request('GET', '/users/me', { token: ada.grant.access_token }), 'invalid_token')
  })

  test('13.8 H12: war story 18 the address needs a fresh session or the right password, and no API key', async () => {
    const { sink, app } = await withMail()
    const ada = await app.signUp('ada')
    await app.clock.advance(15 * MINUTE + SECOND)
    const pair = await refreshed(app, ada.grant.refresh_token!)
    const email = 'ada@new.example'
    const tries = async (json: object) => patch(app, pair.access_token, json)
    await expectRefusal(await tries({ email }), 'reauthentication_required')
    await expectRefusal(await tries({ email, name: 'Mallory', current_password: 'wrong password' }), 'invalid_password')
    await expectRefusal(await tries({ email, current_password: '' }), 'invalid_password')
    await app.admin.giveRole(ada.id, 'admin')
    const key = await app.admin.createApiKey({ owner: ada.id, scopes: ['tokens:introspect'] })
    expect((await patch(app, key.text, { email })).status).toBe(401)
    await app.process.deliverMail()
    expect(sink.received).toHaveLength(0)
    expect((await app.rows.users.one({ id: ada.id })).name).toBeNull()
    // The other members, and the address that one has, need neither.
    expect((await tries({ name: 'Ada', email: ` ${ada.email.toUpperCase()} ` })).status).toBe(200)
    expect(await app.rows.mails.count()).toBe(0)
    expect((await tries({ email, current_password: ada.password })).status).toBe(200)
    expect(await app.rows.mails.count()).toBe(1)
    for (const extra of [{ email_verified: true }, { emailVerified: 1 }, { verified: true }, { email_verified_at: 1 }])
      await tries({ ...extra, locale: 'de' })
    expect(await app.rows.users.one({ id: ada.id })).toMatchObject({ email: ada.email, emailVerifiedAt: null })
  })

  test('13.6 without a mail server an address cannot be changed, and the rest can', async () => {
    const { app } = await open(dialect, { env: { SMTP_URL: '', MAIL_FROM: '' } })
    const { grant } = await app.signUp('ada')
    const refused = await patch(app, grant.access_token, { email: 'ada@new.example', name: 'Ada' })
    expect(await errorOf(refused)).toEqual([503, 'mail_not_configured'])
    expect((await app.rows.users.one()).name).toBeNull()
    expect((await patch(app, grant.access_token, { name: 'Ada' })).status).toBe(200)
  })

  test('13.7 13.8 war stories 21 and 25 whatever is not one plain address is 422, and no mail', async () => {
    const { sink, app } = await withMail()
    const { grant } = await app.signUp('ada')
    const hostile = [
      'a@x.example,b@y.example',
      'a@x.example;b@y.example',
      'a@x.example\r\nBcc: b@y.example',
      'a@x.example\nb@y.example',
      '=?utf-8?q?b=40y.example=2C?=@x.example',
      '"a b"@x.example',
      'a(b@y.example)@x.example',
      'a＠x.example',
      'a@b@x.example',
      '<a@x.example>',
      'a@[127.0.0.1]',
      '',
      'a',
      ['a@x.example', 'b@y.example'],
      { a: 'a@x.example' },
      7,
      true,
    ]
    for (const email of hostile)
      expect([email, (await patch(app, grant.access_token, { email, name: 'Ada' })).status]).toEqual([email, 422])
    const twice = await app.request('PATCH', '/users/me', {
      token: grant.access_token,
      body: '{"email":"a@x.example","email":"b@y.example"}',
      headers: { 'content-type': 'application/json' },
    })
    expect([400, 422]).toContain(twice.status)
    await app.process.deliverMail()
    expect(sink.received).toHaveLength(0)
    expect(await app.rows.mails.count()).toBe(0)
    expect((await app.rows.users.one()).name).toBeNull()
  })

  test('13.8 H12: a taken address gets the same answer, statements and rows, and its owner gets a mail', async () => {
    let seen: string[] = []
    const { sink, app } = await open(dialect, { replace: { store: watchStatements((sql) => seen.push(sql)) } })
    const [ada, bea, cyd] = [await app.signUp('ada'), await app.signUp('bea'), await app.signUp('cyd')]
    await changeAddress(app, sink, cyd, cyd.email, 'cyd@new.example')
    sink.received.splice(0)
    const shown = async (email: string) => {
      seen = []
      const answer = await patch(app, ada.grant.access_token, { email })
      const headers = [...answer.headers].filter(([name]) => name !== 'x-request-id')
      const statements = [...seen]
      await app.process.deliverMail()
      const mail = await app.rows.mails.one({ recipient: email, kind: 'confirm_address' })
      const proof = await app.rows.proofs.one({ id: mail.id })
      const exported = await app.request('POST', '/users/me/export', { token: ada.grant.access_token, json: {} })
      const { mails } = (await exported.json()) as { mails: { recipient: string; kind: string }[] }
      const listed = mails.find((one) => one.recipient === email && one.kind === 'confirm_address')
      return [
        [answer.status, headers, await answer.text(), statements],
        { ...mail, id: '', recipient: '' },
        { ...proof, id: '', addressKey: '', tokenMac: '' },
        { ...listed, id: '', recipient: '' },
      ]
    }
    const free = await shown('ada@new.example')
    expect(await shown(bea.email)).toEqual(free)
    expect(await shown(cyd.email)).toEqual(free)
    expect(sink.received.map(({ to, message }) => [to[0], message.subject])).toEqual([
      ['ada@new.example', 'Confirm your new address for Example'],
      [bea.email, 'You already have an account at Example'],
      [cyd.email, 'You already have an account at Example'],
    ])
    const told = mailTo(sink, bea.email)
    expect(told.message.text).toContain('Hello bea,')
    expect([linkIn(told), told.message.text!.includes('ada')]).toEqual(['', false])
  })

  test('13.6 an address that was taken after the mail was sent is 409, and the link stays good', async () => {
    const { sink, app } = await withMail()
    const ada = await app.signUp('ada')
    const token = await askForAddress(app, sink, ada.grant.access_token, 'new@example.com')
    const bea = await register(app, 'new@example.com', 'bea')
    expect(bea.status).toBe(201)
    const { id } = (await bea.json()) as { id: number }
    expect(await errorOf(await confirm(app, token))).toEqual([409, 'email_taken'])
    await app.admin.deleteUser(id)
    expect((await confirm(app, token)).status).toBe(200)
  })

  test('13.6 13.8 H1 of 24 parallel confirmations one works, and of 24 parallel undos', async () => {
    const { sink, app } = await withMail()
    const ada = await app.signUp('ada')
    const token = await askForAddress(app, sink, ada.grant.access_token, 'ada@new.example')
    const count = (answers: Response[], status: number) => answers.filter((answer) => answer.status === status).length
    const confirms = await Promise.all(Array.from({ length: 24 }, () => confirm(app, token)))
    expect([count(confirms, 200), count(confirms, 400)]).toEqual([1, 23])
    await app.process.deliverMail()
    const link = tokenIn(mailTo(sink, ada.email))
    const undos = await Promise.all(Array.from({ length: 24 }, () => undo(app, link)))
    expect([count(undos, 204), count(undos, 400)]).toEqual([1, 23])
    expect(await app.rows.mails.count({ kind: 'address_changed' })).toBe(1)
    expect(await app.rows.mails.count({ kind: 'address_restored' })).toBe(1)
    expect(await app.rows.reservedAddresses.count()).toBe(0)
  })

  test('13.6 of parallel confirmations of one address by several accounts, one works', async () => {
    const { sink, app } = await withMail()
    const tokens: string[] = []
    for (let at = 0; at < 6; at++) {
      const { grant } = await app.signUp(`user${at}`)
      tokens.push(await askForAddress(app, sink, grant.access_token, 'wanted@example.com'))
    }
    const answers = await Promise.all([
      ...tokens.map((token) => confirm(app, token)),
      register(app, 'wanted@example.com', 'wanted'),
    ])
    const worked = answers.filter(({ status }) => status < 300)
    expect(worked).toHaveLength(1)
    for (const answer of answers) expect([200, 201, 409]).toContain(answer.status)
    expect(await app.rows.users.count({ emailKey: 'wanted@example.com' })).toBe(1)
  })

  test('13.6 13.8 a newer request, a new password and the end of all sessions void a link', async () => {
    const { sink, app } = await withMail()
    const ada = await app.signUp('ada')
    const first = await askForAddress(app, sink, ada.grant.access_token, 'first@example.com')
    const second = await askForAddress(app, sink, ada.grant.access_token, 'second@example.com')
    expect(await errorOf(await confirm(app, first))).toEqual(INVALID)
    await app.admin.setPassword(ada.id, 'yet another good one')
    expect(await errorOf(await confirm(app, second))).toEqual(INVALID)
    const login = await loggedIn(app, { ...ada, password: 'yet another good one' })
    const third = await askForAddress(app, sink, login.access_token, 'third@example.com')
    await app.request('DELETE', '/users/me/sessions', { token: login.access_token })
    expect(await errorOf(await confirm(app, third))).toEqual(INVALID)
    expect((await app.rows.users.one()).email).toBe(ada.email)
  })

  test('13.6 13.8 a mail that is still queued when the password changes is not sent', async () => {
    const { sink, app } = await withMail()
    const ada = await app.signUp('ada')
    await patch(app, ada.grant.access_token, { email: 'new@example.com' })
    await app.admin.setPassword(ada.id, 'yet another good one')
    await app.process.deliverMail()
    expect(sink.received.map(({ to }) => to)).toEqual([[ada.email]])
    expect(await app.rows.mails.one({ kind: 'confirm_address' })).toMatchObject({ state: 'dropped' })
  })

  test('13.4 13.8 H3 a confirmation works for 24 hours, an undo for 72, and not a millisecond more', async () => {
    const { sink, app } = await withMail()
    const ada = await app.signUp('ada')
    const late = await askForAddress(app, sink, ada.grant.access_token, 'late@example.com')
    await app.clock.advance(DAY)
    expect(await errorOf(await confirm(app, late))).toEqual(INVALID)
    const again = { ...ada, grant: await loggedIn(app, ada) }
    const link = await changeAddress(app, sink, again, ada.email, 'new@example.com')
    await app.clock.advance(3 * DAY - 1)
    expect(await errorOf(await register(app, ada.email, 'eve'))).toEqual([409, 'email_taken'])
    await app.clock.advance(1)
    expect(await errorOf(await undo(app, link))).toEqual(INVALID)
    // From now on the address is free.
    expect((await register(app, ada.email, 'eve')).status).toBe(201)
    await app.clock.advance(HOUR)
    await app.process.cleanUp()
    expect(await app.rows.reservedAddresses.count()).toBe(0)
  })

  test('13.4 13.8 war story 27 a token of one purpose is refused by every other', async () => {
    const { sink, app } = await withMail()
    const ada = await app.signUp('ada')
    const toUndo = await changeAddress(app, sink, ada, ada.email, 'new@example.com')
    const toConfirm = await askForAddress(app, sink, ada.grant.access_token, 'next@example.com')
    await forgot(app, 'new@example.com')
    await app.process.deliverMail()
    const toReset = tokenIn(mailTo(sink, 'new@example.com'))
    for (const token of [toUndo, toReset, '', 'kwm_', `${toConfirm}x`])
      expect(await errorOf(await confirm(app, token))).toEqual(INVALID)
    for (const token of [toConfirm, toReset, '', 'kwm_', `${toUndo}x`])
      expect(await errorOf(await undo(app, token))).toEqual(INVALID)
    for (const token of [toUndo, toConfirm]) expect(await errorOf(await reset(app, token))).toEqual(INVALID)
    for (const json of [{}, { token: null }, { token: [toUndo] }, { token: { token: toUndo } }])
      for (const path of ['/email/undo', '/email/change/confirm'])
        expect((await app.request('POST', path, { json })).status).toBe(422)
    expect((await undo(app, toUndo)).status).toBe(204)
  })

  test('13.5 13.6 a page can show the account of a link, which uses nothing up', async () => {
    const { sink, app } = await withMail()
    const ada = await app.signUp('ada')
    const token = await askForAddress(app, sink, ada.grant.access_token, 'Ada@new.example')
    for (let at = 0; at < 20; at++)
      expect(await app.process.findLink('confirm', token)).toMatchObject({
        user: { email: ada.email },
        address: 'Ada@new.example',
      })
    await confirm(app, token, ada.grant.access_token)
    await app.process.deliverMail()
    const link = tokenIn(mailTo(sink, ada.email))
    expect(await app.process.findLink('confirm', token)).toBeUndefined()
    for (let at = 0; at < 20; at++)
      expect(await app.process.findLink('undo', link)).toMatchObject({
        user: { email: 'Ada@new.example' },
        address: ada.email,
      })
    expect((await undo(app, link)).status).toBe(204)
    expect(await app.process.findLink('undo', link)).toBeUndefined()
  })
})
