import { expect, test } from 'bun:test'
import { DAY } from '../../src/lib/clock.ts'
import { passkeyLogin } from '../factors/support.ts'
import { loggedIn, me } from '../sessions/support.ts'
import { describeEachDialect } from '../support/dialects.ts'
import { expectRefusal } from '../support/refusal.ts'
import {
  appsWithMail,
  askForAddress,
  changeAddress,
  confirm,
  errorOf,
  logIn,
  mailTo,
  patch,
  register,
  reset,
  resetToken,
  tokenIn,
  undo,
} from './support.ts'

const INVALID = [400, 'invalid_or_expired']
const TAKEN = [409, 'email_taken']

describeEachDialect('the undo of an address change', (dialect) => {
  const open = appsWithMail()
  const withMail = () => open(dialect)

  test('13.8 H12: the owner gets the account back after the thief changed address and password', async () => {
    const { sink, app } = await withMail()
    const ada = await app.signUp('ada')
    await app.admin.giveRole(ada.id, 'admin')
    const link = await changeAddress(app, sink, ada, ada.email, 'eve@example.com')
    // The thief does what a thief can do.
    const toReset = await resetToken(app, sink, 'eve@example.com')
    expect((await reset(app, toReset, 'the password of eve')).status).toBe(204)
    const thief = { ...ada, grant: await loggedIn(app, { ...ada, password: 'the password of eve' }) }
    const key = await app.admin.createApiKey({ owner: ada.id, scopes: ['tokens:introspect'] })
    const pending = await askForAddress(app, sink, thief.grant.access_token, 'eve2@example.com')
    const passkey = await app.factors.addPasskey(ada.id)
    await app.clock.advance(DAY)
    const later = await resetToken(app, sink, 'eve@example.com')

    expect((await undo(app, link)).status).toBe(204)
    const user = await app.rows.users.one({ id: ada.id })
    expect(user).toMatchObject({ email: ada.email, emailKey: ada.email, passwordHash: null, passwordScheme: null })
    expect(user.emailVerifiedAt).toBe(app.clock.now())
    expect(await me(app, thief.grant.access_token)).toBe(401)
    await expectRefusal(await passkeyLogin(app, passkey), 'unknown_passkey')
    for (const password of [ada.password, 'the password of eve'])
      expect((await logIn(app, 'ada', password)).status).toBe(401)
    expect(await app.rows.apiKeys.one({ id: key.id })).toMatchObject({ revokedAt: app.clock.now() })
    expect(await app.rows.devices.count({ userId: ada.id })).toBe(0)
    expect(await errorOf(await confirm(app, pending))).toEqual(INVALID)
    expect(await errorOf(await reset(app, later))).toEqual(INVALID)
    expect(await errorOf(await undo(app, link))).toEqual(INVALID)
    expect(await app.rows.reservedAddresses.count()).toBe(0)
    expect((await app.rows.auditEvents.all({ userId: ada.id })).map(({ event }) => event)).toContain(
      'email.change_undone',
    )
    await app.process.deliverMail()
    const mail = mailTo(sink, ada.email)
    expect(mail.message.subject).toBe('Your account at Example is back: choose a new password')
    expect((await reset(app, tokenIn(mail), 'a password of ada')).status).toBe(204)
    expect((await logIn(app, ada.email, 'a password of ada')).status).toBe(200)
  })

  test('13.8 H12: a factor of the thief goes, and one that the owner has had for long stays', async () => {
    const { sink, app } = await withMail()
    const ada = await app.signUp('ada')
    const own = await app.factors.addPasskey(ada.id, { name: 'of Ada' })
    await app.clock.advance(2 * DAY)
    await app.factors.addPasskey(ada.id, { name: 'of Eve' })
    await app.factors.addApp(ada.id)
    await app.factors.makeCodes(ada.id)
    await app.clock.advance(DAY / 2)
    const grant = (await (await passkeyLogin(app, own)).json()) as typeof ada.grant
    expect((await undo(app, await changeAddress(app, sink, { grant }, ada.email, 'eve@example.com'))).status).toBe(204)
    expect((await app.rows.passkeys.all()).map(({ name }) => name)).toEqual(['of Ada'])
    expect([await app.rows.totpFactors.count(), await app.rows.recoveryCodes.count()]).toEqual([0, 0])
  })

  test('13.8 H12: after two changes the first link wins, and voids the second', async () => {
    const { sink, app } = await withMail()
    const ada = await app.signUp('ada')
    const toAda = await changeAddress(app, sink, ada, ada.email, 'eve@example.com')
    const toEve = await changeAddress(app, sink, ada, 'eve@example.com', 'eve2@example.com')
    for (const address of [ada.email, 'eve@example.com', 'eve2@example.com'])
      expect(await errorOf(await register(app, address, 'somebody'))).toEqual(TAKEN)
    expect((await undo(app, toAda)).status).toBe(204)
    expect(await errorOf(await undo(app, toEve))).toEqual(INVALID)
    expect((await app.rows.users.one({ id: ada.id })).email).toBe(ada.email)
    for (const [at, address] of ['eve@example.com', 'eve2@example.com'].entries())
      expect((await register(app, address, `somebody${at}`)).status).toBe(201)
  })

  test('13.8 H12: a thief who undoes the second change first cannot keep the account', async () => {
    const { sink, app } = await withMail()
    const ada = await app.signUp('ada')
    const toAda = await changeAddress(app, sink, ada, ada.email, 'eve@example.com')
    const toEve = await changeAddress(app, sink, ada, 'eve@example.com', 'eve2@example.com')
    expect((await undo(app, toEve)).status).toBe(204)
    expect((await app.rows.users.one({ id: ada.id })).email).toBe('eve@example.com')
    expect((await undo(app, toAda)).status).toBe(204)
    expect((await app.rows.users.one({ id: ada.id })).email).toBe(ada.email)
    expect(await errorOf(await undo(app, toEve))).toEqual(INVALID)
  })

  test('13.8 H12: of parallel undos of both changes, the first address wins', async () => {
    const { sink, app } = await withMail()
    const ada = await app.signUp('ada')
    const toAda = await changeAddress(app, sink, ada, ada.email, 'eve@example.com')
    const toEve = await changeAddress(app, sink, ada, 'eve@example.com', 'eve2@example.com')
    const links = Array.from({ length: 24 }, (_, at) => (at % 2 ? toAda : toEve))
    const answers = await Promise.all(links.map((link) => undo(app, link)))
    const worked = answers.map(({ status }, at) => (status === 204 ? links[at] : undefined)).filter(Boolean)
    expect(worked.filter((link) => link === toAda)).toHaveLength(1)
    expect(worked.length).toBeLessThanOrEqual(2)
    expect((await app.rows.users.one({ id: ada.id })).email).toBe(ada.email)
  })

  test('13.6 a link that is mailed late works for 72 hours all the same, and so long the address is reserved', async () => {
    const { sink, app } = await withMail()
    const ada = await app.signUp('ada')
    const token = await askForAddress(app, sink, ada.grant.access_token, 'new@example.com')
    // This replica does not send mails.
    const { app: other } = await open(dialect, { databaseUrl: app.databaseUrl, clock: app.clock })
    expect((await confirm(other, token)).status).toBe(200)
    await app.clock.advance(DAY)
    await app.process.deliverMail()
    const link = tokenIn(mailTo(sink, ada.email))
    await app.clock.advance(3 * DAY - 1)
    expect(await errorOf(await register(app, ada.email, 'eve'))).toEqual(TAKEN)
    expect((await undo(app, link)).status).toBe(204)
  })

  test('13.6 13.8 a link that is mailed after the undo is void', async () => {
    const { sink, app } = await withMail()
    const ada = await app.signUp('ada')
    const toAda = await changeAddress(app, sink, ada, ada.email, 'eve@example.com')
    const token = await askForAddress(app, sink, ada.grant.access_token, 'eve2@example.com')
    const { app: other } = await open(dialect, { databaseUrl: app.databaseUrl, clock: app.clock })
    expect((await confirm(other, token)).status).toBe(200)
    expect((await undo(other, toAda)).status).toBe(204)
    await app.process.deliverMail()
    expect(await errorOf(await undo(app, tokenIn(mailTo(sink, 'eve@example.com'))))).toEqual(INVALID)
    expect((await app.rows.users.one({ id: ada.id })).email).toBe(ada.email)
  })

  test('13.6 the owner may take a reserved address again, and its former link is void', async () => {
    const { sink, app } = await withMail()
    const ada = await app.signUp('ada')
    const link = await changeAddress(app, sink, ada, ada.email, 'new@example.com')
    const back = await changeAddress(app, sink, ada, 'new@example.com', ada.email)
    expect(await errorOf(await undo(app, link))).toEqual(INVALID)
    expect((await undo(app, back)).status).toBe(204)
    expect((await app.rows.users.one({ id: ada.id })).email).toBe('new@example.com')
  })

  test('13.6 a reserved address is taken for registration, change, administration and import', async () => {
    const { sink, app } = await withMail()
    const [ada, bea] = [await app.signUp('ada'), await app.signUp('bea')]
    await changeAddress(app, sink, ada, ada.email, 'new@example.com')
    expect(await errorOf(await register(app, ada.email.toUpperCase(), 'eve'))).toEqual(TAKEN)
    expect((await patch(app, bea.grant.access_token, { email: ada.email })).status).toBe(200)
    await app.process.deliverMail()
    expect(mailTo(sink, ada.email).message.subject).toBe('You already have an account at Example')
    const row = {
      id: '900',
      email: ada.email,
      username: 'eve',
      hashed_password: null,
      is_active: true,
      created_at: null,
    }
    await expect(app.admin.importAccounts([row as never])).rejects.toThrow('have a problem')
    const account = {
      id: 900,
      email: ada.email,
      emailKey: ada.email,
      username: 'eve',
      usernameKey: 'eve',
      passwordHash: '',
      passwordScheme: 'bcrypt',
      isActive: true,
      emailVerifiedAt: null,
      name: null,
      locale: null,
      externalId: null,
      externalSource: null,
      createdAt: 0,
    }
    expect(await app.admin.importUsers([account])).toBe(false)
    expect(await app.rows.users.count()).toBe(2)
    await app.clock.advance(3 * DAY)
    expect(await app.admin.importUsers([account])).toBe(true)
  })

  test('13.6 nobody gets an address while its owner changes it: 24 parallel registrations', async () => {
    const { sink, app } = await withMail()
    const ada = await app.signUp('ada')
    const token = await askForAddress(app, sink, ada.grant.access_token, 'new@example.com')
    const names = Array.from({ length: 12 }, (_, at) => `eve${at}`)
    const [confirmed, ...others] = await Promise.all([
      confirm(app, token, ada.grant.access_token),
      ...names.map((name) => register(app, ada.email, name)),
      ...names.map((name) => register(app, 'new@example.com', `${name}x`)),
    ])
    const users = await app.rows.users.all()
    const keys = users.map(({ emailKey }) => emailKey)
    expect(new Set(keys).size).toBe(keys.length)
    for (const answer of others) expect([201, 409]).toContain(answer.status)
    // The old address is never free. The new one goes to whoever was first.
    expect(users.filter(({ emailKey, id }) => emailKey === ada.email && id !== ada.id)).toEqual([])
    expect(others.filter(({ status }) => status === 201)).toHaveLength(confirmed!.status === 200 ? 0 : 1)
  })

  test('13.6 the deletion of the account frees every address and voids every link', async () => {
    const { sink, app } = await withMail()
    const ada = await app.signUp('ada')
    const link = await changeAddress(app, sink, ada, ada.email, 'new@example.com')
    const pending = await askForAddress(app, sink, ada.grant.access_token, 'next@example.com')
    await app.admin.deleteUser(ada.id)
    expect(await errorOf(await undo(app, link))).toEqual(INVALID)
    expect(await errorOf(await confirm(app, pending))).toEqual(INVALID)
    expect(await app.rows.reservedAddresses.count()).toBe(0)
    expect(await app.rows.proofs.count()).toBe(0)
    expect((await register(app, ada.email, 'eve')).status).toBe(201)
    expect((await register(app, 'new@example.com', 'eva')).status).toBe(201)
  })

  test('13.8 war story 19 the address of another user is no username, and a former one logs nobody in', async () => {
    const { sink, app } = await withMail()
    const [ada, bea] = [await app.signUp('ada'), await app.signUp('bea')]
    expect((await patch(app, bea.grant.access_token, { username: ada.email })).status).toBe(422)
    await changeAddress(app, sink, ada, ada.email, 'new@example.com')
    expect((await patch(app, bea.grant.access_token, { username: ada.email })).status).toBe(422)
    expect((await logIn(app, ada.email, ada.password)).status).toBe(401)
    expect((await logIn(app, 'new@example.com', ada.password)).status).toBe(200)
  })
})
