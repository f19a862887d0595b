import { expect, test } from 'bun:test'
import { loggedIn, me } from '../sessions/support.ts'
import type { TestApp } from '../support/app.ts'
import { describeApp } from '../support/hooks.ts'
import { expectRefusal } from '../support/refusal.ts'
import { watchStatements } from '../support/replace.ts'
import { acts, answered, password, person, tokenOf } from './support.ts'

const writes: string[] = []
const store = watchStatements((sql) => {
  if (!/^select/i.test(sql)) writes.push(sql)
})
const ip = '192.0.2.1'

const patch = (app: TestApp, token: string, id: number, json: object) =>
  app.request('PATCH', `/admin/users/${id}`, { token, json })

describeApp('an administrator', { replace: { store }, env: { RATE_LIMIT: 'on' } }, (app) => {
  test('14.1 deactivates a user at once, with a reason for the audit log, and activates the user again', async () => {
    const [boss, ada] = [await person(app, 'boss', 'admin'), await person(app, 'ada')]
    const answer = await patch(app, boss.token, ada.id, { is_active: false, reason: 'Left the company' })
    expect(await answered(Promise.resolve(answer))).toMatchObject({ id: ada.id, is_active: false })
    expect(await me(app, ada.token)).toBe(401)
    expect((await app.request('POST', '/token', { form: { username: 'ada', password } })).status).toBe(401)
    expect(await answered(patch(app, boss.token, ada.id, { is_active: true }))).toMatchObject({ is_active: true })
    expect(await me(app, ada.token)).toBe(401)
    expect(await me(app, await tokenOf(app, ada))).toBe(200)
    const of = { userId: ada.id, actorId: boss.id, ip }
    expect(await acts(app)).toEqual([
      { event: 'user.deactivated', ...of, details: { reason: 'Left the company' } },
      { event: 'user.activated', ...of, details: null },
    ])
  })

  test('14.1 changes username and name, also of a deactivated user; the audit log has the fields, not the values', async () => {
    const [boss, ada] = [await person(app, 'boss', 'admin'), await person(app, 'ada')]
    await app.admin.deactivate(ada.id)
    const changed = await answered(patch(app, boss.token, ada.id, { username: 'Support', name: 'Ada L.' }))
    expect(changed).toMatchObject({ username: 'Support', name: 'Ada L.', is_active: false })
    expect(await answered(patch(app, boss.token, ada.id, { name: null, username: null }))).toMatchObject({
      username: 'Support',
      name: null,
    })
    const json = { email: 'eve@example.com', username: 'ada', password }
    await expectRefusal(await app.request('POST', '/register', { json }), 'username_taken')
    await expectRefusal(await patch(app, boss.token, ada.id, { username: 'BOSS' }), 'username_taken')
    const events = await acts(app)
    expect(events.map(({ event, details }) => [event, details])).toEqual([
      ['user.updated', { fields: 'username name' }],
      ['user.updated', { fields: 'name' }],
    ])
    expect(JSON.stringify(events)).not.toMatch(/Ada|Support/)
  })

  test('14.1 gets 422 for a wrong value, and nothing is changed', async () => {
    const [boss, ada] = [await person(app, 'boss', 'admin'), await person(app, 'ada')]
    const before = await app.rows.users.one({ id: ada.id })
    for (const json of [
      { username: 'a' },
      { name: '' },
      { name: 'x', username: 'no spaces' },
      { is_active: 'no' },
      { reason: 'why' },
      { is_active: true, reason: 'why' },
      { is_active: false, reason: '' },
      { is_active: false, reason: 'x'.repeat(201) },
      { is_active: false, reason: 'a\nb' },
    ])
      await expectRefusal(await patch(app, boss.token, ada.id, json), 'validation_failed')
    expect(await app.rows.users.one({ id: ada.id })).toEqual(before)
    expect(await acts(app)).toEqual([])
  })

  test('14.1 writes nothing, and no audit event, when nothing changes or the request is refused', async () => {
    const [boss, ada] = [await person(app, 'boss', 'admin'), await person(app, 'ada')]
    const weak = await person(app, 'weak', 'users:write')
    await app.request('POST', '/logout', { token: ada.token })
    const send = (method: string, rest: string, json?: object, token = boss.token) =>
      app.request(method, `/admin/users/${ada.id}${rest}`, { token, ...(json && { json }) })
    // The first use of a token is recorded.
    for (const { token } of [boss, weak]) await app.request('GET', '/users/me', { token })
    writes.length = 0
    const statuses = []
    for (const answer of [
      await send('PATCH', '', {}),
      await send('PATCH', '', { is_active: true, username: 'ada', name: null }),
      await send('DELETE', '/sessions'),
      await send('PUT', '/roles/user'),
      await send('DELETE', '/roles/admin'),
      await send('PUT', '/roles/none'),
      await send('DELETE', '/roles/user'),
      await app.request('DELETE', `/admin/users/${boss.id}`, { token: weak.token }),
    ])
      statuses.push(answer.status)
    expect(statuses).toEqual([200, 200, 204, 204, 204, 404, 422, 403])
    expect(writes).toEqual([])
    expect(await acts(app)).toEqual([])
  })

  test('14.1 ends all sessions of a user', async () => {
    const [boss, ada] = [await person(app, 'boss', 'admin'), await person(app, 'ada')]
    const other = await loggedIn(app, { username: 'ada', password })
    const path = `/admin/users/${ada.id}/sessions`
    expect((await app.request('DELETE', path, { token: boss.token })).status).toBe(204)
    expect([await me(app, ada.token), await me(app, other.access_token), await me(app, boss.token)]).toEqual([
      401, 401, 200,
    ])
    expect((await app.request('DELETE', path, { token: boss.token })).status).toBe(204)
    expect(await acts(app)).toEqual([
      { event: 'session.all_ended', userId: ada.id, actorId: boss.id, ip, details: { reason: 'ended_by_admin' } },
    ])
  })

  test('14.1 deletes a user: nothing about the person stays, and the event says who did it', async () => {
    const [boss, ada] = [await person(app, 'boss', 'admin'), await person(app, 'ada')]
    const remove = () => app.request('DELETE', `/admin/users/${ada.id}`, { token: boss.token })
    expect((await remove()).status).toBe(204)
    await expectRefusal(await remove(), 'user_not_found')
    expect(await app.rows.users.count({ id: ada.id })).toBe(0)
    expect(await app.rows.sessions.count({ userId: ada.id })).toBe(0)
    await expectRefusal(await app.request('GET', '/user/user', { token: ada.token }), 'user_not_found')
    // The erasure removes the addresses from the events of the deleted user, the administrator's too.
    expect(await acts(app)).toEqual([
      { event: 'user.deleted', userId: ada.id, actorId: boss.id, ip: null, details: null },
    ])
  })

  test('14.1 cannot be deactivated or deleted as the last one', async () => {
    const [boss, second] = [await person(app, 'boss', 'admin'), await person(app, 'second', 'admin')]
    await app.admin.deactivate(second.id)
    await expectRefusal(await patch(app, boss.token, boss.id, { is_active: false }), 'last_admin')
    await expectRefusal(await app.request('DELETE', `/admin/users/${boss.id}`, { token: boss.token }), 'last_admin')
    expect(await acts(app)).toEqual([])
    expect(await me(app, boss.token)).toBe(200)
    await app.admin.activate(second.id)
    expect((await app.request('DELETE', `/admin/users/${boss.id}`, { token: boss.token })).status).toBe(204)
  })
})

describeApp('a password reset by an administrator', { mailbox: true }, (app) => {
  test('14.1 mails a link; the password stays until a new one is chosen', async () => {
    const [boss, ada] = [await person(app, 'boss', 'admin'), await person(app, 'ada')]
    const send = () => app.request('POST', `/admin/users/${ada.id}/password-reset`, { token: boss.token })
    await answered(send(), 202)
    await app.process.deliverMail()
    const mails = (await app.rows.mails.all()).filter(({ kind }) => kind === 'reset_by_admin')
    expect(mails).toMatchObject([{ userId: ada.id, recipient: ada.email, state: 'sent' }])
    expect(await me(app, ada.token)).toBe(200)
    expect(await acts(app)).toEqual([
      { event: 'password.reset_mailed', userId: ada.id, actorId: boss.id, ip, details: null },
    ])
    await app.admin.deactivate(ada.id)
    await expectRefusal(await send(), 'user_inactive')
  })
})

describeApp('a password reset without a mail server', {}, (app) => {
  test('14.1 is 503 mail_not_configured, and only for who may ask', async () => {
    const [boss, ada] = [await person(app, 'boss', 'admin'), await person(app, 'ada')]
    const send = (token: string) => app.request('POST', `/admin/users/${ada.id}/password-reset`, { token })
    await expectRefusal(await send(boss.token), 'mail_not_configured')
    await expectRefusal(await send(ada.token), 'forbidden')
    expect(await acts(app)).toEqual([])
  })
})
