import { expect, test } from 'bun:test'
import { DAY, HOUR, rfc3339 } from '../../src/lib/clock.ts'
import { person } from '../administration/support.ts'
import type { TestAppOptions } from '../support/app.ts'
import { describeEachDialect } from '../support/dialects.ts'
import { expectRefusal } from '../support/refusal.ts'
import { reply, type SmtpOptions } from '../support/smtp.ts'
import { appsWithMail, linkIn, mailTo, tokenIn } from '../verification/support.ts'
import { accept, addUser, bearerOf, bob, canLogIn, invite, inviteAgain, lastToken, newPassword } from './support.ts'

describeEachDialect('an invitation', (dialect) => {
  const open = appsWithMail()
  const withMail = (smtp: SmtpOptions = {}, more: TestAppOptions = {}) => open(dialect, { smtp, ...more })
  const dead = async (answer: Response | Promise<Response>) => expectRefusal(await answer, 'invalid_or_expired')

  test('14.1 is mailed in the language of the user; its token sets password and username, proves the address, and works once', async () => {
    const { sink, app } = await withMail()
    const boss = await person(app, 'boss', 'admin')
    const { id, token } = await invite(app, sink, boss.token, { ...bob, locale: 'de' })
    const mail = mailTo(sink, bob.email)
    expect(mail.message.subject).toBe('Ihre Einladung zu Example')
    expect(linkIn(mail)).toMatch(/^https:\/\/auth\.example\.com\/base\/invite\?token=kwm_[\w-]{43}$/)
    expect(await canLogIn(app, 'bob')).toBe(false)
    const shown = async () =>
      (await (await app.request('GET', `/admin/users/${id}`, { token: boss.token })).json()) as { invited_at: string }
    expect((await shown()).invited_at).toBe(rfc3339(app.clock.now()))
    // A refused request leaves the invitation good.
    for (const wrong of [{ password: 'short' }, { password: 'robert.b' }, { username: 'x' }, { username: 'support' }])
      await expectRefusal(await accept(app, token, { username: 'robert.b', ...wrong }), 'validation_failed')
    await expectRefusal(await accept(app, token, { username: 'BOSS' }), 'username_taken')
    const answer = await accept(app, token, { username: ' Robert.B ' })
    expect([answer.status, await answer.json()]).toMatchObject([
      200,
      { id, ...bob, username: 'Robert.B', is_active: true, email_verified: true, roles: ['user'], locale: 'de' },
    ])
    expect(answer.headers.get('cache-control')).toBe('no-store')
    expect((await shown()).invited_at).toBeNull()
    await dead(accept(app, token))
    expect([await canLogIn(app, 'robert.b'), await canLogIn(app, 'bob')]).toEqual([true, false])
    await expectRefusal(await inviteAgain(app, boss.token, id), 'not_invited')
    const events = (await app.rows.auditEvents.all({ userId: id })).map(({ event }) => event)
    expect(events.filter((event) => !event.startsWith('login'))).toEqual([
      'user.created',
      'user.invited',
      'invitation.accepted',
      'email.verified',
    ])
    expect(JSON.stringify(await app.rows.auditEvents.all()) + app.logs.join('')).not.toContain(token)
    // The name that nobody has used is free.
    const json = { email: 'other@example.com', username: 'bob', password: newPassword }
    expect((await app.request('POST', '/register', { json })).status).toBe(201)
  })

  test('14.1 H1: of 24 parallel acceptances, one works', async () => {
    const { sink, app } = await withMail()
    const boss = await person(app, 'boss', 'admin')
    const { token } = await invite(app, sink, boss.token)
    const passwords = Array.from({ length: 24 }, (_, i) => `${newPassword} ${i}`)
    const answers = await Promise.all(passwords.map((password) => accept(app, token, { password })))
    const statuses = answers.map(({ status }) => status)
    expect(statuses.filter((status) => status === 200)).toHaveLength(1)
    expect(statuses.filter((status) => status === 400)).toHaveLength(23)
    expect(await canLogIn(app, 'bob', passwords[statuses.indexOf(200)]!)).toBe(true)
  })

  test('14.1 H3: works for 72 hours, for 24 with any permission, also one that was granted later; a newer one voids it', async () => {
    const { sink, app } = await withMail()
    const boss = await person(app, 'boss', 'admin')
    const admin = { email: 'cyd@example.com', username: 'cyd', roles: ['admin'] }
    const plain = await invite(app, sink, boss.token)
    const chief = await invite(app, sink, boss.token, admin)
    const later = await invite(app, sink, boss.token, { email: 'dan@example.com', username: 'dan' })
    await app.admin.giveRole(later.id, 'admin')
    const mailed = await app.rows.proofs.all({ purpose: 'invitation' })
    expect(mailed.map(({ expiresAt, createdAt }) => expiresAt - createdAt).sort((a, b) => a - b)).toEqual([
      DAY,
      3 * DAY,
      3 * DAY,
    ])
    await app.clock.advance(DAY - 1)
    expect((await accept(app, later.token)).status).toBe(200)
    await app.clock.advance(1)
    await dead(accept(app, chief.token))
    expect((await accept(app, plain.token)).status).toBe(200)
    // The link of an account that got a permission ends after 24 hours as well, whatever the mail says.
    const other = await invite(app, sink, await bearerOf(app, 'dan'), { email: 'eve@example.com', username: 'eve' })
    await app.clock.advance(25 * HOUR)
    await app.admin.giveRole(other.id, 'admin')
    await dead(accept(app, other.token))
    const bearer = await bearerOf(app, 'dan')
    expect((await inviteAgain(app, bearer, chief.id)).status).toBe(202)
    const second = await lastToken(app, sink, admin.email)
    await app.clock.advance(1)
    expect((await inviteAgain(app, bearer, chief.id)).status).toBe(202)
    await dead(accept(app, second))
    expect((await accept(app, await lastToken(app, sink, admin.email))).status).toBe(200)
  })

  test('14.1 an invitation that waited in the queue does not void a newer one', async () => {
    let isDown = true
    const { sink, app } = await withMail({
      at: (stage) => (stage === 'mail' && isDown ? reply(451, 'later') : undefined),
    })
    const boss = await person(app, 'boss', 'admin')
    const added = (await (await addUser(app, boss.token, bob)).json()) as { id: number }
    await app.clock.advance(1)
    expect((await inviteAgain(app, boss.token, added.id)).status).toBe(202)
    await app.process.deliverMail()
    isDown = false
    await app.clock.advance(HOUR)
    await app.process.deliverMail()
    expect(sink.received).toHaveLength(1)
    expect((await app.rows.mails.all({ kind: 'invitation' })).map(({ state }) => state)).toEqual(['dropped', 'sent'])
    expect((await accept(app, tokenIn(sink.received[0]!))).status).toBe(200)
  })

  test('14.1 ends with the user, and with the rights of the inviter', async () => {
    const { sink, app } = await withMail()
    const boss = await person(app, 'boss', 'admin')
    const writer = await person(app, 'writer', 'users:write')
    const names = (username: string) => ({ email: `${username}@example.com`, username })
    const gone = await invite(app, sink, writer.token, names('gone'))
    await app.admin.deleteUser(gone.id)
    await dead(accept(app, gone.token))
    const off = await invite(app, sink, writer.token, names('off'))
    await app.admin.deactivate(off.id)
    await dead(accept(app, off.token))
    await expectRefusal(await inviteAgain(app, boss.token, off.id), 'user_inactive')
    await app.admin.activate(off.id)
    // The inviter cannot give rights by way of somebody who got them later.
    const raised = await invite(app, sink, writer.token, names('raised'))
    await app.admin.giveRole(raised.id, 'admin')
    await dead(accept(app, raised.token))
    const left = await invite(app, sink, writer.token, names('left'))
    const unwritten = await invite(app, sink, boss.token, names('chief'))
    await app.request('DELETE', `/admin/users/${writer.id}/roles/role-of-writer`, { token: boss.token })
    await dead(accept(app, left.token))
    await app.admin.giveRole(writer.id, 'role-of-writer')
    await app.admin.deactivate(writer.id)
    await dead(accept(app, left.token))
    await app.admin.deleteUser(writer.id)
    await dead(accept(app, left.token))
    expect((await inviteAgain(app, boss.token, left.id)).status).toBe(202)
    expect((await accept(app, await lastToken(app, sink, 'left@example.com'))).status).toBe(200)
    expect((await accept(app, unwritten.token)).status).toBe(200)
    // A password that an administrator set is a way in, and ends the invitation.
    const set = await invite(app, sink, boss.token, names('set'))
    await app.admin.setPassword(set.id, newPassword)
    await dead(accept(app, set.token, { password: 'yet another good one' }))
    expect(await canLogIn(app, 'set')).toBe(true)
  })

  test('14.1 is the only way into the account: no mail that a stranger can ask for opens it', async () => {
    const { sink, app } = await withMail({}, { env: { EMAIL_LOGIN: 'on' } })
    const boss = await person(app, 'boss', 'admin')
    const { id, token } = await invite(app, sink, boss.token, { ...bob, roles: ['admin'] })
    for (const path of ['/password/forgot', '/login/email', '/email/verification'])
      expect((await app.request('POST', path, { json: { email: bob.email } })).status).toBe(202)
    await app.process.deliverMail()
    expect(sink.received.filter(({ to }) => to.includes(bob.email))).toHaveLength(1)
    await expectRefusal(
      await app.request('POST', `/admin/users/${id}/password-reset`, { token: boss.token }),
      'invitation_pending',
    )
    const { text } = await app.admin.createApiKey({ owner: id, scopes: ['users:read'] })
    expect((await accept(app, token)).status).toBe(200)
    expect((await app.request('GET', '/admin/users', { token: text })).status).toBe(401)
  })

  test('14.4 H6: its token is refused by every other flow, and theirs by it', async () => {
    const { sink, app } = await withMail({}, { env: { EMAIL_LOGIN: 'on', LOGIN_URL: 'https://app.example.com/' } })
    const boss = await person(app, 'boss', 'admin')
    const { token } = await invite(app, sink, boss.token)
    const flows: Record<string, object> = {
      '/password/reset': { password: newPassword },
      '/email/verify': { new_password: newPassword },
      '/email/change/confirm': {},
      '/email/undo': {},
      '/login/email/verify': {},
    }
    for (const [path, json] of Object.entries(flows))
      await dead(app.request('POST', path, { json: { token, ...json } }))
    const { id } = await app.signUp('ada')
    for (const kind of ['reset_password', 'verify_email', 'confirm_address', 'address_changed', 'log_in'] as const)
      await app.process.notify(kind, id)
    // A user who is not invited gets no invitation.
    await app.process.notify('invitation', id)
    await app.process.deliverMail()
    const others = sink.received.filter(({ to }) => to.includes('ada@example.com')).map(tokenIn)
    expect(others).toHaveLength(5)
    for (const other of others) await dead(accept(app, other))
    for (const none of ['', 'x', token.slice(0, -1), `${token}A`, 'kwm_'.padEnd(47, 'A')]) await dead(accept(app, none))
    for (const none of [null, 7, [token], { token }]) await expectRefusal(await accept(app, none), 'validation_failed')
    expect((await accept(app, token)).status).toBe(200)
  })
})
