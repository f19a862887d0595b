import { expect, test } from 'bun:test'
import { DAY } from '../../src/lib/clock.ts'
import { loggedIn, me } from '../sessions/support.ts'
import { describeEachDialect } from '../support/dialects.ts'
import { transactionGate } from '../support/replace.ts'
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
  tokenIn,
  undo,
} from './support.ts'

const INVALID = [400, 'invalid_or_expired']

describeEachDialect('the conditions of an address change', (dialect) => {
  const open = appsWithMail()

  test('13.6 a link that a newer one voids during the confirmation changes nothing', async () => {
    const gate = transactionGate()
    const { sink, app } = await open(dialect, { replace: { store: gate.replacement } })
    const ada = await app.signUp('ada')
    const token = await askForAddress(app, sink, ada.grant.access_token, 'first@example.com')
    const refused = await gate.pass(
      () => confirm(app, token),
      () => askForAddress(app, sink, ada.grant.access_token, 'second@example.com'),
    )
    expect(await errorOf(refused)).toEqual(INVALID)
    expect((await app.rows.users.one()).email).toBe(ada.email)
    expect(await app.rows.reservedAddresses.count()).toBe(0)
  })

  test('13.6 an undo link that was used during the undo does nothing again', async () => {
    const gate = transactionGate()
    const { sink, app } = await open(dialect, { replace: { store: gate.replacement } })
    const ada = await app.signUp('ada')
    const link = await changeAddress(app, sink, ada, ada.email, 'eve@example.com')
    const refused = await gate.pass(
      () => undo(app, link),
      async () => expect((await undo(app, link)).status).toBe(204),
    )
    expect(await errorOf(refused)).toEqual(INVALID)
    expect(await app.rows.mails.count({ kind: 'address_restored' })).toBe(1)
    expect(await app.rows.auditEvents.count({ event: 'email.change_undone' })).toBe(1)
  })

  test('13.6 the end of all sessions during a change of profile or address refuses the change', async () => {
    const gate = transactionGate()
    const { app } = await open(dialect, { replace: { store: gate.replacement } })
    const ada = await app.signUp('ada')
    for (const json of [{ name: 'Mallory' }, { name: 'Mallory', email: 'mallory@example.com' }]) {
      const { access_token: bearer } = await loggedIn(app, ada)
      const refused = await gate.pass(
        () => patch(app, bearer, json),
        async () => expect((await app.request('DELETE', '/users/me/sessions', { token: bearer })).status).toBe(204),
      )
      expect(await errorOf(refused)).toEqual([401, 'invalid_token'])
    }
    expect((await app.rows.users.one()).name).toBeNull()
    expect(await app.rows.mails.count()).toBe(0)
    expect(await app.rows.auditEvents.count({ event: 'user.updated' })).toBe(0)
    expect(await app.rows.auditEvents.count({ event: 'email.change_requested' })).toBe(0)
  })

  test('13.6 a change that another request has just made is made and recorded once', async () => {
    const gate = transactionGate()
    const { app } = await open(dialect, { replace: { store: gate.replacement } })
    const { grant } = await app.signUp('ada')
    const change = () => patch(app, grant.access_token, { name: 'Ada', username: 'lovelace' })
    const second = await gate.pass(change, change)
    expect([second.status, await second.json()]).toMatchObject([200, { name: 'Ada', username: 'lovelace' }])
    expect(await app.rows.auditEvents.count({ event: 'user.updated' })).toBe(1)
    expect(await app.rows.reservedNames.count()).toBe(1)
  })

  test('13.6 an address that is reserved for another user when the link is used is 409, and the link stays good', async () => {
    const { sink, app } = await open(dialect)
    const [ada, bea] = [await app.signUp('ada'), await app.signUp('bea')]
    const address = 'shared@example.com'
    const token = await askForAddress(app, sink, bea.grant.access_token, address)
    await changeAddress(app, sink, ada, ada.email, address)
    await changeAddress(app, sink, ada, address, 'other@example.com')
    expect(await errorOf(await confirm(app, token))).toEqual([409, 'email_taken'])
    expect((await app.rows.users.one({ id: bea.id })).email).toBe(bea.email)
    await app.admin.deleteUser(ada.id)
    expect((await confirm(app, token)).status).toBe(200)
  })

  test('13.6 an address whose reservation has expired is free for another account before the clean-up', async () => {
    const { sink, app } = await open(dialect)
    const [ada, bea] = [await app.signUp('ada'), await app.signUp('bea')]
    await changeAddress(app, sink, ada, ada.email, 'new@example.com')
    await app.clock.advance(3 * DAY)
    expect(await app.rows.reservedAddresses.count()).toBe(1)
    const { access_token: bearer } = await loggedIn(app, bea)
    expect((await confirm(app, await askForAddress(app, sink, bearer, ada.email))).status).toBe(200)
    expect((await app.rows.users.one({ id: bea.id })).email).toBe(ada.email)
  })

  test('13.6 without a mail server a confirmation is 503, because nobody could undo it, and the link stays good', async () => {
    const { sink, app } = await open(dialect)
    const ada = await app.signUp('ada')
    const token = await askForAddress(app, sink, ada.grant.access_token, 'new@example.com')
    const mute = { SMTP_URL: '', MAIL_FROM: '' }
    const { app: other } = await open(dialect, { databaseUrl: app.databaseUrl, clock: app.clock, env: mute })
    expect(await errorOf(await confirm(other, token))).toEqual([503, 'mail_not_configured'])
    expect((await app.rows.users.one()).email).toBe(ada.email)
    expect((await confirm(app, token)).status).toBe(200)
  })

  test('13.6 without a mail server an undo is 503, because the owner could not choose a new password, and the link stays good', async () => {
    const { sink, app } = await open(dialect)
    const ada = await app.signUp('ada')
    await changeAddress(app, sink, ada, ada.email, 'new@example.com')
    const token = tokenIn(await mailTo(sink, ada.email))
    const mute = { SMTP_URL: '', MAIL_FROM: '' }
    const { app: other } = await open(dialect, { databaseUrl: app.databaseUrl, clock: app.clock, env: mute })
    expect(await errorOf(await undo(other, token))).toEqual([503, 'mail_not_configured'])
    expect(await app.rows.users.one()).toMatchObject({ email: 'new@example.com', passwordHash: expect.any(String) })
    expect((await undo(app, token)).status).toBe(204)
  })

  test('13.6 the session of another user confirms as no session does, and goes on', async () => {
    const { sink, app } = await open(dialect)
    const [ada, bea] = [await app.signUp('ada'), await app.signUp('bea')]
    const token = await askForAddress(app, sink, ada.grant.access_token, 'new@example.com')
    expect((await confirm(app, token, bea.grant.access_token)).status).toBe(200)
    expect(await me(app, ada.grant.access_token)).toBe(401)
    expect(await me(app, bea.grant.access_token)).toBe(200)
  })

  test('13.6 a confirmation deletes every other link and code of the account', async () => {
    const { sink, app } = await open(dialect)
    const ada = await app.signUp('ada')
    const token = await askForAddress(app, sink, ada.grant.access_token, 'new@example.com')
    await forgot(app, ada.email)
    await app.request('POST', '/email/verification', { json: { email: ada.email } })
    await app.process.deliverMail()
    expect(await app.rows.proofs.count({ userId: ada.id })).toBe(3)
    expect((await confirm(app, token, ada.grant.access_token)).status).toBe(200)
    expect(await app.rows.proofs.count({ userId: ada.id })).toBe(0)
  })

  test('13.6 the mails of a change have the language of the request, then of the user, and the address of the client', async () => {
    const { sink, app } = await open(dialect)
    const ada = await app.signUp('ada')
    const token = ada.grant.access_token
    const ask = (email: string, language: string) =>
      app.request('PATCH', '/users/me', { token, json: { email }, headers: { 'accept-language': language } })
    await ask('one@example.com', 'fr')
    await app.process.deliverMail()
    await patch(app, token, { locale: 'de' })
    await ask('two@example.com', 'fr')
    await app.process.deliverMail()
    expect(mailTo(sink, 'one@example.com').message.subject).toBe('Confirmez votre nouvelle adresse pour Example')
    const mail = mailTo(sink, 'two@example.com')
    expect(mail.message.subject).toBe('Bestätigen Sie Ihre neue Adresse bei Example')
    const json = { token: tokenIn(mail) }
    await app.request('POST', '/email/change/confirm', { json, peer: '203.0.113.77' })
    await app.process.deliverMail()
    const notice = mailTo(sink, ada.email)
    expect(notice.message.text).toContain('203.0.113.77')
    expect(linkIn(notice)).toContain('/undo?token=')
  })

  test('13.6 requests for a new address count in the limits of the recipient, of its mails and of the network', async () => {
    const limits = 'mail.again=1/1m,mail.recipient=2/1h,mail.prefix=4/1h'
    const { app } = await open(dialect, { env: { RATE_LIMIT: 'on', LIMITS: limits } })
    const { grant } = await app.signUp('ada')
    const ask = async (email: string) => {
      const answer = await patch(app, grant.access_token, { email })
      return [answer.status, /"([\w.]+)"/.exec(answer.headers.get('ratelimit') ?? '')?.[1]]
    }
    expect(await ask('a@example.com')).toEqual([200, undefined])
    expect(await ask('A@example.com')).toEqual([429, 'mail.again'])
    await app.clock.advance(61_000)
    expect(await ask('a@example.com')).toEqual([200, undefined])
    await app.clock.advance(61_000)
    expect(await ask('a@example.com')).toEqual([429, 'mail.recipient'])
    expect(await ask('b@example.com')).toEqual([200, undefined])
    expect(await ask('c@example.com')).toEqual([200, undefined])
    expect(await ask('d@example.com')).toEqual([429, 'mail.prefix'])
    expect(await app.rows.mails.count()).toBe(4)
  })

  test('13.6 an undo ends every session and deletes every other link and code of the account', async () => {
    const { sink, app } = await open(dialect)
    const ada = await app.signUp('ada')
    const link = await changeAddress(app, sink, ada, ada.email, 'eve@example.com')
    await forgot(app, 'eve@example.com')
    await askForAddress(app, sink, ada.grant.access_token, 'eve2@example.com')
    expect(await app.rows.proofs.count({ userId: ada.id })).toBe(3)
    expect((await undo(app, link)).status).toBe(204)
    expect(await me(app, ada.grant.access_token)).toBe(401)
    expect(await app.rows.proofs.count({ userId: ada.id })).toBe(0)
  })

  test('13.6 an undo gives back the guesses that were made from devices and networks of the account', async () => {
    const { sink, app } = await open(dialect, { env: { RATE_LIMIT: 'on' } })
    const ada = await app.signUp('ada')
    const link = await changeAddress(app, sink, ada, ada.email, 'eve@example.com')
    for (let at = 0; at < 3; at++) expect((await logIn(app, 'ada', 'wrong password')).status).toBe(401)
    const spent = async () =>
      (await app.rows.limits.all()).filter(
        ({ key, fullAt }) => key.startsWith('login.known_account') && fullAt > app.clock.now(),
      ).length
    expect(await spent()).toBeGreaterThan(0)
    expect((await undo(app, link)).status).toBe(204)
    expect(await spent()).toBe(0)
  })
})
