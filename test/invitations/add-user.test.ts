import { expect, test } from 'bun:test'
import { acts, answered, password, person } from '../administration/support.ts'
import { describeApp } from '../support/hooks.ts'
import { expectRefusal } from '../support/refusal.ts'
import { addUser, bob, canLogIn, inviteAgain } from './support.ts'

const ip = '192.0.2.1'

describeApp('an administrator', { mailbox: true, env: { REGISTRATION: 'open' } }, (app) => {
  test('14.1 creates an active user with a password, roles and a language, and the audit log says so', async () => {
    const boss = await person(app, 'boss', 'admin')
    const json = { ...bob, password, name: 'Bob B.', locale: 'fr', roles: ['admin', 'user', 'admin'] }
    const answer = await addUser(app, boss.token, json)
    const user = await answered<{ id: number }>(Promise.resolve(answer), 201)
    expect(answer.headers.get('location')).toBe(`../admin/users/${user.id}`)
    expect(user).toMatchObject({ ...bob, name: 'Bob B.', locale: 'fr', is_active: true, email_verified: false })
    expect(user).toMatchObject({ roles: ['admin', 'user'] })
    expect(await canLogIn(app, 'bob', password)).toBe(true)
    expect(await app.rows.mails.count({ kind: 'invitation' })).toBe(0)
    const of = { userId: user.id, actorId: boss.id, ip }
    expect(await acts(app)).toEqual([
      { event: 'user.created', ...of, details: null },
      { event: 'role.granted', ...of, details: { role: 'admin', before: 'user', after: 'admin user' } },
    ])
    await expectRefusal(await inviteAgain(app, boss.token, user.id), 'not_invited')
  })

  test('14.1 gets one refusal for every wrong field, and 409 for a taken name or address; nothing is left behind', async () => {
    const [boss, ada] = [await person(app, 'boss', 'admin'), await person(app, 'ada')]
    for (const json of [
      {},
      { username: 'bob' },
      { email: 'bob@example.com' },
      { ...bob, email: ['bob@example.com', 'eve@example.com'] },
      { ...bob, email: 'bob@example.com,eve@example.com' },
      { ...bob, username: 'b' },
      { ...bob, password: 'short' },
      { ...bob, password: '' },
      { ...bob, roles: 'admin' },
      { ...bob, roles: ['none'] },
      { ...bob, locale: 'xx' },
    ])
      await expectRefusal(await addUser(app, boss.token, json), 'validation_failed')
    await expectRefusal(await addUser(app, boss.token, { ...bob, email: ada.email }), 'email_taken')
    await expectRefusal(await addUser(app, boss.token, { ...bob, username: 'ADA' }), 'username_taken')
    expect(await app.rows.users.count()).toBe(2)
    expect(await app.rows.mails.count({ kind: 'invitation' })).toBe(0)
    expect(await acts(app)).toEqual([])
  })

  test('O1: 14.1 grants only roles that are held, and only with roles:write', async () => {
    const boss = await person(app, 'boss', 'admin')
    const writer = await person(app, 'writer', 'users:write')
    const both = await person(app, 'both', 'users:write roles:write')
    await person(app, 'reader', 'users:read')
    const roles = (...roles: string[]) => ({ ...bob, roles })
    await expectRefusal(await addUser(app, writer.token, roles('role-of-writer')), 'forbidden')
    await expectRefusal(await addUser(app, writer.token, roles('user')), 'forbidden')
    for (const role of ['admin', 'role-of-reader'])
      await expectRefusal(await addUser(app, both.token, roles('role-of-both', role)), 'forbidden')
    expect(await app.rows.users.count({ username: 'bob' })).toBe(0)
    await answered(addUser(app, both.token, roles('role-of-both', 'role-of-writer')), 201)
    const { id } = await answered<{ id: number }>(
      addUser(app, boss.token, { email: 'c@example.com', username: 'cyd', roles: ['admin'] }),
      201,
    )
    // An invited administrator is out of reach of those with fewer permissions, as every other is.
    await expectRefusal(await inviteAgain(app, both.token, id), 'forbidden')
    await expectRefusal(await inviteAgain(app, writer.token, 999), 'user_not_found')
  })

  test('O5: 14.1 an administrator who was only invited does not let the last one go', async () => {
    const boss = await person(app, 'boss', 'admin')
    await answered(addUser(app, boss.token, { ...bob, roles: ['admin'] }), 201)
    await expectRefusal(await app.request('DELETE', `/admin/users/${boss.id}`, { token: boss.token }), 'last_admin')
    const { id } = await app.rows.users.one({ username: 'bob' })
    expect((await app.request('DELETE', `/admin/users/${id}`, { token: boss.token })).status).toBe(204)
  })
})

describeApp('an administrator without a mail server', {}, (app) => {
  test('14.1 gets 503 mail_not_configured for an invitation, and creates users with a password', async () => {
    const boss = await person(app, 'boss', 'admin')
    await expectRefusal(await addUser(app, boss.token, bob), 'mail_not_configured')
    expect(await app.rows.users.count()).toBe(1)
    await answered(addUser(app, boss.token, { ...bob, password }), 201)
  })
})
