import { expect, test } from 'bun:test'
import { describeApp } from '../support/hooks.ts'
import { adminRoutes, requestFor, spareRole } from './routes.ts'
import { password, person, tokenOf } from './support.ts'

const onUser = '/admin/users/{id}'

/** Every spelling in which somebody could try to set a password or its hash. */
const chosen = Object.fromEntries(
  ['password', 'new_password', 'password_hash', 'passwordHash', 'hash', 'passwordScheme', 'sessionEpoch'].map(
    (name) => [name, 'chosen by an administrator'],
  ),
)

describeApp('the password of a user', { mailbox: true }, (app) => {
  test('O6: 14.1 is neither set nor shown by any route for administrators', async () => {
    await app.rows.roles.add({ name: spareRole, description: '', permissions: '', createdAt: 0 })
    const boss = await person(app, 'boss', 'admin')
    const routes = await adminRoutes(app)
    const onUsers = routes.filter(({ path, method }) => path.startsWith(onUser) && method !== 'DELETE')
    expect(onUsers.length).toBeGreaterThan(3)
    for (const route of onUsers) {
      const words = route.bodies.flatMap(({ members }) => members.map(({ name }) => name))
      expect([route.name, words.filter((word) => /password|hash|secret/i.test(word))]).toEqual([route.name, []])
      const ada = await person(app, `ada${onUsers.indexOf(route)}`)
      const stored = async () => {
        const { passwordHash, passwordScheme, sessionEpoch } = await app.rows.users.one({ id: ada.id })
        return { passwordHash, passwordScheme, sessionEpoch }
      }
      const before = await stored()
      const { target, options } = await requestFor(app, route, { [onUser]: String(ada.id) })
      const token = await tokenOf(app, boss)
      // With the body of the document's example, and with that of somebody who tries.
      for (const json of [options.json ?? {}, { ...chosen }]) {
        const answer = await app.request(route.method, target, { token, ...(route.method !== 'GET' && { json }) })
        expect([route.name, answer.status < 500]).toEqual([route.name, true])
        const text = await answer.text()
        for (const secret of [before.passwordHash!, password, ada.grant.access_token, ada.grant.refresh_token!])
          expect([route.name, text.includes(secret)]).toEqual([route.name, false])
      }
      const { sessionEpoch: _, ...kept } = before
      expect([route.name, await stored()]).toMatchObject([route.name, kept])
      await app.admin.activate(ada.id)
      const names = { password, username: (await app.rows.users.one({ id: ada.id })).username }
      const { status } = await app.request('POST', '/token', { form: names })
      expect([route.name, status]).toEqual([route.name, 200])
    }
    // No list shows a hash either.
    const hashes = (await app.rows.users.all()).map(({ passwordHash }) => passwordHash)
    for (const { method, path } of routes.filter((route) => route.method === 'GET' && !route.path.includes('{'))) {
      const text = await (await app.request(method, path, { token: await tokenOf(app, boss) })).text()
      expect([path, hashes.filter((hash) => hash !== null && text.includes(hash))]).toEqual([path, []])
      expect([path, /password_?hash/i.test(text)]).toEqual([path, false])
    }
  })
})
