import { expect, test } from 'bun:test'
import { existsSync, readFileSync, statSync, unlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { DAY } from '../../src/lib/clock.ts'
import { passkeyLogin } from '../factors/support.ts'
import { me } from '../sessions/support.ts'
import { addProvider, identityOf } from '../social/linking-support.ts'
import type { TestApp, TestAppOptions } from '../support/app.ts'
import { keyward } from '../support/cli.ts'
import { describeEachDialect } from '../support/dialects.ts'
import { examine } from '../support/doctor.ts'
import { appsPerTest } from '../support/hooks.ts'
import { expectRefusal } from '../support/refusal.ts'
import { appsWithMail, mailEnv } from '../verification/support.ts'
import { accept, bearerOf, canLogIn, lastToken, newPassword } from './support.ts'

const email = 'Chief@example.com'
const admins = async (app: TestApp) => (await app.rows.userRoles.all({ role: 'admin' })).map(({ userId }) => userId)
const dead = async (answer: Promise<Response>) => expectRefusal(await answer, 'invalid_or_expired')

describeEachDialect('the link for the first administrator', (dialect) => {
  const apps = appsPerTest()
  const open = appsWithMail()
  const withMail = (more: TestAppOptions = {}) => open(dialect, { ...more, env: { ADMIN_EMAIL: email, ...more.env } })

  test('O4: 14.2 is mailed once by two replicas, not again while it lives, and again when it has expired', async () => {
    const { app, sink } = await withMail()
    const env = { ...mailEnv(sink), ADMIN_EMAIL: email }
    const other = await apps.open({ databaseUrl: app.databaseUrl, clock: app.clock, env, seed: 'other' })
    const starts = () => Promise.all([app, other, app, other].map(({ process }) => process.prepareFirstAdmin()))
    await starts()
    await starts()
    const first = await lastToken(app, sink, email)
    expect(sink.received).toHaveLength(1)
    expect(sink.received[0]!.message.subject).toBe('Become the first administrator of Example')
    await app.clock.advance(DAY - 1)
    await starts()
    expect((await app.request('GET', `/invite?token=${first}`)).status).toBe(200)
    await app.clock.advance(1)
    await dead(accept(app, first, { username: 'chief' }))
    await starts()
    const second = await lastToken(other, sink, email)
    expect(sink.received).toHaveLength(2)
    // Another address voids it, and so does none.
    const moved = await apps.open({
      databaseUrl: app.databaseUrl,
      clock: app.clock,
      env: { ...env, ADMIN_EMAIL: 'new@example.com' },
      seed: 'moved',
    })
    await moved.process.prepareFirstAdmin()
    await dead(accept(app, second, { username: 'chief' }))
    const third = await lastToken(moved, sink, 'new@example.com')
    const without = await apps.open({
      databaseUrl: app.databaseUrl,
      clock: app.clock,
      env: mailEnv(sink),
      seed: 'without',
    })
    await without.process.prepareFirstAdmin()
    await dead(accept(app, third, { username: 'chief' }))
    expect([await app.rows.users.count(), await app.rows.firstAdminLinks.count()]).toEqual([0, 0])
  })

  test('O4: 14.2 makes one administrator of 24 acceptances, whose address is proved; then it is void for good', async () => {
    const { app, sink } = await withMail()
    await app.process.prepareFirstAdmin()
    const token = await lastToken(app, sink, email)
    await expectRefusal(await accept(app, token), 'validation_failed')
    await expectRefusal(await accept(app, token, { username: 'chief', password: 'chief' }), 'validation_failed')
    const answers = await Promise.all(
      Array.from({ length: 24 }, (_, i) => accept(app, token, { username: `admin${i}` })),
    )
    expect(answers.map(({ status }) => status).sort()).toEqual([200, ...Array(23).fill(400)])
    const made = (await answers.find(({ status }) => status === 200)!.json()) as { id: number; username: string }
    expect(made).toMatchObject({ email, email_verified: true, roles: ['admin', 'user'] })
    expect([await app.rows.users.count(), await admins(app)]).toEqual([1, [made.id]])
    expect(await canLogIn(app, made.username)).toBe(true)
    await dead(accept(app, token, { username: 'again' }))
    await app.process.prepareFirstAdmin()
    await app.process.deliverMail()
    expect(sink.received).toHaveLength(1)
    const events = (await app.rows.auditEvents.all()).map(({ event }) => event)
    expect(events).toEqual(expect.arrayContaining(['first_admin.invited', 'invitation.accepted', 'role.granted']))
  })

  test('O4: 14.2 is void once there is an administrator, whichever way', async () => {
    const { app, sink } = await withMail()
    await app.process.prepareFirstAdmin()
    const token = await lastToken(app, sink, email)
    // Somebody who was only invited is none yet.
    await app.admin.createUser({ email: 'i@example.com', username: 'invited', admin: true })
    expect((await app.request('GET', `/invite?token=${token}`)).status).toBe(200)
    await app.admin.createUser({ email: 'a@example.com', username: 'other', password: newPassword, admin: true })
    await dead(accept(app, token, { username: 'chief' }))
    expect((await app.request('GET', `/invite?token=${token}`)).status).toBe(400)
    expect(await app.rows.users.count({ username: 'chief' })).toBe(0)
  })

  test.each([false, true])(
    'O4: 14.2 drops all that was set for an account with this address before; the address proved: %p',
    async (isProved) => {
      const { app, sink } = await withMail({ env: { LINK_URL: '' } })
      const planted = await app.signUp('Chief')
      const { text } = await app.admin.createApiKey({
        owner: await giveReading(app, planted.id),
        scopes: ['users:read'],
      })
      const passkey = await app.factors.addPasskey(planted.id)
      await app.factors.addApp(planted.id)
      await addProvider(app, 'hub')
      const identity = identityOf('thief')
      await app.admin.social.linkOwn({ identity, user: await app.admin.user(planted.id), ip: '192.0.2.9' })
      if (isProved) await app.rows.users.change({ id: planted.id }, { emailVerifiedAt: 1 })
      const forgotten = await resetLink(app, sink)
      await app.rows.reservedAddresses.add({
        emailKey: 'thief@example.com',
        email: 'thief@example.com',
        userId: planted.id,
        epoch: 0,
        reservedUntil: app.clock.now() + DAY,
      })
      await app.process.prepareFirstAdmin()
      const token = await lastToken(
        app,
        sink,
        email.toLowerCase() === planted.email.toLowerCase() ? email : planted.email,
      )
      await expectRefusal(await accept(app, token, { username: 'another' }), 'validation_failed')
      const answer = await accept(app, token)
      expect([answer.status, await answer.json()]).toMatchObject([
        200,
        { id: planted.id, username: 'Chief', email_verified: true, roles: ['admin', 'role-of-reader', 'user'] },
      ])
      expect(await me(app, planted.grant.access_token)).toBe(401)
      expect(await canLogIn(app, 'Chief', planted.password)).toBe(false)
      expect((await app.request('GET', '/admin/users', { token: text })).status).toBe(401)
      await dead(
        app.request('POST', '/password/reset', { json: { token: forgotten, password: 'the thief chose this' } }),
      )
      await expectRefusal(await passkeyLogin(app, passkey), 'unknown_passkey')
      expect([await app.rows.reservedAddresses.count(), await app.rows.identities.count()]).toEqual([0, 0])
      expect((await app.request('GET', '/admin/users', { token: await bearerOf(app, 'Chief') })).status).toBe(200)
    },
  )

  test('14.2 is dead for a deactivated account', async () => {
    const { app, sink } = await withMail()
    const { id } = await app.signUp('chief')
    await app.admin.deactivate(id)
    await app.process.prepareFirstAdmin()
    await dead(accept(app, await lastToken(app, sink, email)))
    expect(await admins(app)).toEqual([])
  })

  const giveReading = async (app: TestApp, id: number) => {
    await app.rows.roles.add({ name: 'role-of-reader', description: '', permissions: 'users:read', createdAt: 0 })
    await app.admin.giveRole(id, 'role-of-reader')
    return id
  }
  const resetLink = async (app: TestApp, sink: Parameters<typeof lastToken>[1]) => {
    await app.request('POST', '/password/forgot', { json: { email } })
    return lastToken(app, sink, 'Chief@example.com')
  }

  test('O4, P6: 14.2 without a mail server it is in a file beside the SQLite file, for its owner alone, while it is good', async () => {
    const app = await apps.open({ dialect, env: { ADMIN_EMAIL: email } })
    const of = app.config.DATABASE_URL
    if (of.dialect === 'postgresql') {
      await app.process.prepareFirstAdmin()
      expect(await app.rows.firstAdminLinks.count()).toBe(0)
      expect(app.logs.join()).toContain('first_admin_not_invited')
      const env = { ADMIN_EMAIL: email }
      const { code, err } = await keyward(['config'], { databaseUrl: app.databaseUrl, env })
      expect([code, err]).toEqual([1, expect.stringContaining('ADMIN_EMAIL')])
      return
    }
    const path = join(dirname(of.path), 'first-admin.txt')
    writeFileSync(path, 'my own notes')
    const other = await apps.open({
      databaseUrl: app.databaseUrl,
      clock: app.clock,
      env: { ADMIN_EMAIL: email },
      seed: 'b',
    })
    const starts = () => Promise.all([app, other, app].map(({ process }) => process.prepareFirstAdmin()))
    await starts()
    const text = readFileSync(path, 'utf8')
    const token = /token=(kwm_[\w-]{43})$/m.exec(text)![1]!
    expect(statSync(path).mode & 0o777).toBe(0o600)
    unlinkSync(path)
    await starts()
    expect(readFileSync(path, 'utf8')).toBe(text)
    const stored = JSON.stringify([await app.rows.firstAdminLinks.all(), await app.rows.proofs.all()])
    expect(stored + app.logs.join()).not.toContain(token)
    expect((await app.request('GET', `/invite?token=${token}`)).status).toBe(200)
    // The reader of the file has not shown that the address is theirs.
    const answer = await accept(app, token, { username: 'chief' })
    expect([answer.status, await answer.json()]).toMatchObject([
      200,
      { email_verified: false, roles: ['admin', 'user'] },
    ])
    expect(existsSync(path)).toBe(false)
    await starts()
    expect(existsSync(path)).toBe(false)
    writeFileSync(path, 'my own notes')
    await starts()
    expect(readFileSync(path, 'utf8')).toBe('my own notes')
  })

  test('14.4 keyward doctor says what ADMIN_EMAIL does: a link, none, or nothing any more', async () => {
    const { app, sink } = await withMail()
    const env = { ...mailEnv(sink), ADMIN_EMAIL: email }
    const found = async (more: Record<string, string> = {}) =>
      (await examine(app.databaseUrl, { ...env, ...more }, { clock: app.clock })).of('first_admin')
    const none = [{ subject: 'ADMIN_EMAIL', verdict: 'warning', fix: 'Restart the server, which makes another link.' }]
    expect(await found()).toMatchObject(none)
    expect(await found({ ADMIN_EMAIL: '' })).toMatchObject([
      { verdict: 'ok', message: 'There is no administrator; keyward users create --admin makes one.' },
    ])
    await app.process.prepareFirstAdmin()
    await app.clock.advance(DAY / 2)
    const at = new Date(app.clock.now() + DAY / 2).toISOString().replace('T', ' ').slice(0, 19)
    expect(await found()).toMatchObject([
      {
        subject: 'ADMIN_EMAIL',
        verdict: 'ok',
        message: `The link to become the first administrator was mailed. It is unused, and good until ${at}Z, for 12 h.`,
      },
    ])
    expect(await found({ ADMIN_EMAIL: 'another@example.com' })).toMatchObject(none)
    const token = await lastToken(app, sink, email)
    expect((await accept(app, token, { username: 'chief' })).status).toBe(200)
    expect(await found()).toMatchObject([
      {
        subject: 'ADMIN_EMAIL',
        verdict: 'ok',
        message: 'There is an administrator, so it does nothing any more; remove it.',
      },
    ])
    expect(await found({ ADMIN_EMAIL: '' })).toMatchObject([{ verdict: 'ok', message: 'There is an administrator.' }])
  })

  test('14.2 keyward users create --admin removes the file', async () => {
    const app = await apps.open({ dialect, env: { ADMIN_EMAIL: email } })
    const of = app.config.DATABASE_URL
    if (of.dialect === 'postgresql') return
    const path = join(dirname(of.path), 'first-admin.txt')
    await app.process.prepareFirstAdmin()
    expect(existsSync(path)).toBe(true)
    const line = ['users', 'create', '--email', 'a@example.com', '--username', 'ada', '--admin', '--dev']
    const env = { BCRYPT_COST: '4', HASH_NICE: '0' }
    const { code } = await keyward(line, { databaseUrl: app.databaseUrl, clock: app.clock, secret: newPassword, env })
    expect([code, existsSync(path)]).toEqual([0, false])
  })
})
