import { expect, test } from 'bun:test'
import type { Arrival } from '../../src/features/social/social.ts'
import { SECOND } from '../../src/lib/clock.ts'
import { describeEachDialect } from '../support/dialects.ts'
import { expectRefusal } from '../support/refusal.ts'
import { appsWithMail } from '../verification/support.ts'
import {
  addProvider,
  codeFor,
  identityOf,
  type Local,
  locals,
  makeLocal,
  outcome,
  password,
  pendingOf,
  visit,
} from './linking-support.ts'

/** What comes after the provider's answer: with its proof of the address, then after a mailed code. */
const table: Record<Local, { ask: string; automatic: string; code: string }> = {
  none: { ask: 'done NAME-there', automatic: 'done NAME-there', code: 'done NAME-there' },
  unverified: { ask: 'ask password startOver', automatic: 'ask password startOver', code: 'ask password startOver' },
  verified: { ask: 'ask password code', automatic: 'done NAME', code: 'done NAME' },
  admin: { ask: 'ask password', automatic: 'ask password', code: 'ask password' },
  'unverified admin': { ask: 'ask password', automatic: 'ask password', code: 'ask password' },
  'with a factor': { ask: 'ask password code', automatic: 'ask password code', code: 'factor of NAME' },
  'unverified with a factor': {
    ask: 'ask password startOver',
    automatic: 'ask password startOver',
    code: 'ask password startOver',
  },
  inactive: { ask: 'invalid_credentials', automatic: 'invalid_credentials', code: 'invalid_or_expired' },
  invited: { ask: 'invalid_credentials', automatic: 'invalid_credentials', code: 'invalid_or_expired' },
}

const codeSubject = 'Your code for Example'

describeEachDialect('the rule that links identities', (dialect) => {
  const open = appsWithMail()

  test('L7: is that of the table, in every cell', async () => {
    const { app, sink } = await open(dialect)
    const { social } = app.admin
    await addProvider(app, 'hub')
    await addProvider(app, 'auto', 'automatic')
    let made = 0
    const next = async (local: Local) => {
      const name = `user${++made}`
      return { name, id: await makeLocal(app, local, name), address: `${name}@example.com` }
    }
    for (const local of locals) {
      for (const mode of ['ask', 'automatic'] as const) {
        const { name } = await next(local)
        const provider = mode === 'ask' ? 'hub' : 'auto'
        const got = await outcome(social.arrive(identityOf(name, { provider }), visit))
        expect([local, mode, got]).toEqual([local, mode, table[local][mode].replace('NAME', name)])
        expect([local, await app.rows.identities.count({ subject: `subject-of-${name}` })]).toEqual([
          local,
          got.startsWith('done') ? 1 : 0,
        ])
      }
      // Not proved by the provider, and no address at all: the page for a code, the same in every row. Nothing is
      // linked before the code, whatever the provider's configuration says.
      for (const told of [true, false]) {
        const { name, address } = await next(local)
        const identity = identityOf(name, {
          provider: 'auto',
          isEmailProved: false,
          ...(!told && { email: undefined }),
        })
        const arriving = social.arrive(identity, visit)
        expect([local, told, await outcome(arriving)]).toEqual([local, told, told ? 'code' : 'address'])
        const page = told ? arriving : social.giveAddress(await pendingOf(arriving), ` ${address} `, visit)
        const pending = await pendingOf(page)
        expect(await outcome(social.enterCode(pending, '000000', visit))).toBe('invalid_or_expired')
        expect(await app.rows.identities.count({ subject: identity.subject })).toBe(0)
        const code = (await codeFor(app, sink, address)) ?? '123456'
        const got = await outcome(social.enterCode(pending, code, visit))
        expect([local, 'code', got]).toEqual([local, 'code', table[local].code.replace('NAME', name)])
        // A code counts once.
        expect(await outcome(social.enterCode(pending, code, visit))).toBe('invalid_or_expired')
        const codes = sink.received.filter(({ to, message }) => to.includes(address) && message.subject === codeSubject)
        expect([local, codes.length]).toEqual([local, local === 'inactive' || local === 'invited' ? 0 : 1])
      }
    }
  })

  test('L7: a new account has the proved address and no password, and one user comes of 24 parallel answers', async () => {
    const { app, sink } = await open(dialect)
    const { social } = app.admin
    await addProvider(app, 'hub')
    const taken = await app.admin.createUser({ email: 'x@example.com', username: 'ada-there', password })
    const arrivals = await Promise.all(
      Array.from({ length: 24 }, () => outcome(social.arrive(identityOf('ada'), visit))),
    )
    const ada = (await app.rows.users.all()).find(({ email }) => email === 'ada@example.com')!
    expect(new Set(arrivals)).toEqual(new Set([`done ${ada.username}`]))
    expect(ada.username).toMatch(/^ada-there\.\d{6}$/)
    expect(ada).toMatchObject({ passwordHash: null, name: 'Name of ada', emailVerifiedAt: expect.any(Number) })
    expect(await app.rows.users.count()).toBe(2)
    expect(await app.rows.identities.count()).toBe(1)
    await app.process.deliverMail()
    const subjects = sink.received.filter(({ to }) => to.includes('ada@example.com')).map((one) => one.message.subject)
    expect(subjects).toEqual(['Your account at Example'])

    // A known identity is its user, whatever the address says now.
    const other = identityOf('ada', { email: 'x@example.com' })
    expect(await outcome(social.arrive(other, visit))).toBe(`done ${ada.username}`)
    await app.admin.deactivate(ada.id)
    expect(await outcome(social.arrive(other, visit))).toBe('invalid_credentials')
    await app.admin.activate(ada.id)
    await social.updateProvider('hub', { isEnabled: false })
    expect(await outcome(social.arrive(other, visit))).toBe('provider_not_found')
    expect(await app.rows.identities.count()).toBe(1)
    expect((await app.admin.user(taken.id)).emailVerifiedAt).toBe(null)
  })

  test('L7: two identities for one address make one user, and closed registration makes none', async () => {
    const { app } = await open(dialect)
    const { social } = app.admin
    await addProvider(app, 'hub')
    await addProvider(app, 'lab')
    const both = await Promise.all([
      outcome(social.arrive(identityOf('ada'), visit)),
      outcome(social.arrive(identityOf('ada', { provider: 'lab', issuer: 'https://lab.example' }), visit)),
    ])
    expect(both.toSorted()).toEqual(['ask password code', 'done ada-there'])
    expect([await app.rows.users.count(), await app.rows.identities.count()]).toEqual([1, 1])
    await social.updateProvider('hub', { signsUp: false })
    expect(await outcome(social.arrive(identityOf('bea'), visit))).toBe('registration_closed')

    const closed = (await open(dialect, { env: { REGISTRATION: 'closed' } })).app
    await addProvider(closed, 'hub')
    expect(await outcome(closed.admin.social.arrive(identityOf('bea'), visit))).toBe('registration_closed')
    expect([await app.rows.users.count(), await closed.rows.users.count()]).toEqual([1, 0])
  })

  test('L7, H11: an address that was never proved: the password keeps all, the owner starts over', async () => {
    const { app, sink } = await open(dialect)
    const { social } = app.admin
    await addProvider(app, 'hub')
    await addProvider(app, 'lab')
    const ada = await app.signUp('ada')
    const asked = await pendingOf(social.arrive(identityOf('ada'), visit))
    expect(await outcome(social.confirmByPassword(asked, 'wrong', visit))).toBe('invalid_password')
    expect(await app.rows.identities.count()).toBe(0)
    expect(await outcome(social.confirmByPassword(asked, ada.password, visit))).toBe('done ada')
    expect((await app.admin.user(ada.id)).emailVerifiedAt).not.toBe(null)
    const live = async (token: string) => (await app.request('GET', '/users/me', { token })).status
    expect(await live(ada.grant.access_token)).toBe(200)
    // The rule is applied anew at each step: what was asked before is no way in any more.
    expect(await outcome(social.startOver(asked, visit))).toBe('done ada')
    expect(await live(ada.grant.access_token)).toBe(200)

    const eve = await app.signUp('eve')
    await social.linkOwn({
      identity: identityOf('eve', { provider: 'lab', subject: 'of-the-squatter' }),
      user: await app.admin.user(eve.id),
      ip: '192.0.2.9',
    })
    await app.factors.addPasskey(eve.id)
    const owner = await pendingOf(social.arrive(identityOf('eve'), visit))
    expect(await outcome(social.startOver(owner, visit))).toBe('done eve')
    expect(await live(eve.grant.access_token)).toBe(401)
    expect(await app.rows.passkeys.count()).toBe(0)
    await expectRefusal(
      await app.request('POST', '/token', { form: { username: 'eve', password: eve.password } }),
      'invalid_credentials',
    )
    expect((await app.rows.identities.all({ userId: eve.id })).map(({ provider }) => provider)).toEqual(['hub'])
    await app.process.deliverMail()
    const subjects = sink.received.filter(({ to }) => to.includes('eve@example.com')).map((one) => one.message.subject)
    expect(subjects).toContain('You can now sign in to Example with The hub')
  })

  test('L7: a proved account is linked with its password or a code to its address; an administrator needs the password', async () => {
    const { app, sink } = await open(dialect)
    const { social } = app.admin
    await addProvider(app, 'hub')
    for (const [local, name] of [
      ['verified', 'ada'],
      ['verified', 'bea'],
      ['admin', 'boss'],
    ] as const) {
      await makeLocal(app, local, name)
      const asked = await pendingOf(social.arrive(identityOf(name), visit))
      // Starting over is for addresses that nobody has proved.
      expect(await outcome(social.startOver(asked, visit))).toStartWith('ask password')
      if (name === 'bea') {
        const sent = await pendingOf(social.askCode(asked, visit))
        const code = await codeFor(app, sink, `${name}@example.com`)
        // The code of another sign-in proves nothing here.
        const other = { ...sent, address: 'ada@example.com' }
        expect(await outcome(social.enterCode(other, code!, visit))).toBe('invalid_or_expired')
        expect(await outcome(social.enterCode(sent, code!, visit))).toBe('done bea')
      } else expect(await outcome(social.confirmByPassword(asked, password, visit))).toBe(`done ${name}`)
    }
    const sent = await pendingOf(
      social.askCode(
        await pendingOf(
          social.arrive(identityOf('chef', { email: 'boss@example.com', provider: 'hub', subject: 'other' }), visit),
        ),
        visit,
      ),
    )
    const code = await codeFor(app, sink, 'boss@example.com')
    const proved = social.enterCode(sent, code!, visit)
    expect(await outcome(proved)).toBe('ask password')
    // One identity of a provider for each user.
    expect(await outcome(social.confirmByPassword(await pendingOf(proved), password, visit))).toBe('identity_taken')
    expect(await app.rows.identities.count()).toBe(3)
    const events = (await app.rows.auditEvents.all()).filter(({ event }) => event === 'identity.linked')
    expect(events.map(({ details }) => details)).toEqual(Array(3).fill('{"provider":"hub"}'))
  })

  test('L7: an account with a second factor is linked when the factor was shown, in the transaction of the session', async () => {
    const { app } = await open(dialect)
    const { social } = app.admin
    await addProvider(app, 'hub')
    const id = (await makeLocal(app, 'verified', 'ada'))!
    const phone = await app.factors.addApp(id)
    const { sessions } = app.process
    const answer = (token: string, otp: string) =>
      sessions.answerFactor({ token, answer: { otp }, origin: visit.origin, browser: {} })
    const waiting = async (arriving: Promise<Arrival>): Promise<string> => {
      const arrival = await arriving
      if (arrival.step !== 'done') throw new Error(arrival.step)
      const refused = await sessions.requireSession(arrival.begun).catch((error) => error)
      return refused.challenge.token
    }
    const asked = await pendingOf(social.arrive(identityOf('ada'), visit))
    const token = await waiting(social.confirmByPassword(asked, password, visit))
    expect(await app.rows.identities.count()).toBe(0)
    await expect(answer(token, '000000')).rejects.toMatchObject({ code: 'invalid_code' })
    expect(await app.rows.identities.count()).toBe(0)
    const { session } = await answer(token, phone.code())
    expect(session.amr).toBe('fed pwd otp mfa')
    expect(await app.rows.identities.one({ userId: id })).toMatchObject({ provider: 'hub', email: 'ada@example.com' })
    // A known identity is the first factor.
    const again = await waiting(social.arrive(identityOf('ada'), visit))
    await app.clock.advance(30 * SECOND)
    expect((await answer(again, phone.code())).session.amr).toBe('fed otp mfa')

    // Another user links the identity while this login waits.
    const other = identityOf('bea', { subject: 'second' })
    const bea = (await makeLocal(app, 'verified', 'bea'))!
    const hers = await app.factors.addApp(bea)
    const late = await waiting(social.confirmByPassword(await pendingOf(social.arrive(other, visit)), password, visit))
    await makeLocal(app, 'verified', 'cara')
    const stolen = social.arrive(identityOf('cara', { subject: 'second' }), visit)
    expect(await outcome(social.confirmByPassword(await pendingOf(stolen), password, visit))).toBe('done cara')
    await expect(answer(late, hers.code())).rejects.toMatchObject({ code: 'mfa_token_expired' })
    expect(await app.rows.identities.count({ userId: bea })).toBe(0)
  })

  test('L7: the signed-in user links any address, and never another user’s identity', async () => {
    const { app, sink } = await open(dialect)
    const { social } = app.admin
    await addProvider(app, 'hub')
    const [ada, bea] = [await app.signUp('ada'), await app.signUp('bea')]
    const link = async (id: number, more = {}) =>
      social
        .linkOwn({
          identity: identityOf('x', { email: 'else@example.org', ...more }),
          user: await app.admin.user(id),
          ip: '192.0.2.7',
        })
        .then(
          () => 'linked',
          (error) => error.code,
        )
    expect(await link(ada.id)).toBe('linked')
    expect(await link(ada.id)).toBe('linked')
    expect(await link(bea.id)).toBe('identity_taken')
    expect(await link(ada.id, { subject: 'second' })).toBe('identity_taken')
    expect(await app.admin.user(ada.id)).toMatchObject({ email: 'ada@example.com', emailVerifiedAt: null })
    await app.process.deliverMail()
    const taken = sink.received.filter(({ message }) => message.subject === 'The hub could not be linked at Example')
    expect(taken.map(({ to }) => to[0]).toSorted()).toEqual(['ada@example.com', 'bea@example.com'])
    expect(await outcome(social.arrive(identityOf('x', { email: 'bea@example.com' }), visit))).toBe('done ada')
  })

  test('C4, L7: without a mail server an address that is not proved is refused, the same in every row', async () => {
    const { app } = await open(dialect, { env: { SMTP_URL: '', MAIL_FROM: '', SUPPORT_EMAIL: '' } })
    await addProvider(app, 'hub')
    for (const local of locals) {
      const name = local.replaceAll(' ', '-')
      await makeLocal(app, local === 'invited' ? 'inactive' : local, name)
      const identity = identityOf(name, { isEmailProved: false })
      expect(await outcome(app.admin.social.arrive(identity, visit))).toBe('email_unverified')
    }
  })
})
