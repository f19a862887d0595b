import { expect, test } from 'bun:test'
import { MINUTE, SECOND } from '../../src/lib/clock.ts'
import { audit, turns } from '../sessions/support.ts'
import type { TestApp } from '../support/app.ts'
import { describeEachDialect } from '../support/dialects.ts'
import { withApp } from '../support/hooks.ts'
import { expectRefusal } from '../support/refusal.ts'

const introspect = (app: TestApp, token: string) => app.request('POST', '/introspect', { token, form: { token: 'x' } })
const status = async (app: TestApp, token: string) => (await introspect(app, token)).status

/** An administrator and an API key for introspection. A second administrator remains in every test. */
async function setUp(app: TestApp, expiresAt: number | null = null) {
  const [spare, owner] = [await app.signUp('spare'), await app.signUp('ada')]
  for (const { id } of [spare, owner]) await app.admin.giveRole(id, 'admin')
  const scopes = ['tokens:introspect', 'tokens:introspect']
  const key = await app.admin.createApiKey({ owner: owner.id, scopes, expiresAt })
  return { owner: owner.id, ...key }
}

const rows = (app: TestApp) => app.rows.apiKeys.all()

describeEachDialect('an API key', (dialect) => {
  test('O9: has a prefix, 192 random bits and a checksum; only its MAC is stored, and each scope once', () =>
    withApp({ dialect }, async (app) => {
      const { text } = await setUp(app)
      expect(text).toMatch(/^kw_[\w-]{38}$/)
      const [row] = await rows(app)
      expect(row).toMatchObject({ name: 'gateway', scopes: 'tokens:introspect', lastUsedAt: null })
      expect(JSON.stringify(row)).not.toContain(text.slice(3, 20))
      expect((await audit(app, 'api_key.created')).map(({ details }) => details)).toEqual([
        '{"id":1,"scopes":"tokens:introspect"}',
      ])
    }))

  test('is refused if a character is changed, missing or added', () =>
    withApp({ dialect }, async (app) => {
      const { text } = await setUp(app)
      expect(await status(app, text)).toBe(200)
      const altered = [...text].map(
        (letter, at) => text.slice(0, at) + (letter === 'A' ? 'B' : 'A') + text.slice(at + 1),
      )
      const prefixes = Array.from({ length: text.length - 1 }, (_, at) => text.slice(0, at + 1))
      for (const bad of [...altered, ...prefixes, `${text}A`, text.toLowerCase().toUpperCase()])
        expect([bad, await status(app, bad)]).toEqual([bad, 401])
      await expectRefusal(await introspect(app, altered[10]!), 'invalid_token')
    }))

  test('O9: grants what its scopes and its owner both allow, checked at every use', () =>
    withApp({ dialect }, async (app) => {
      const { text, owner } = await setUp(app)
      const narrow = await app.admin.createApiKey({ owner, scopes: ['tokens:introspect'] })
      await app.rows.apiKeys.change({ id: narrow.id }, { scopes: 'users:read' })
      await expectRefusal(await introspect(app, narrow.text), 'forbidden')
      await app.rows.userRoles.remove()
      await expectRefusal(await introspect(app, text), 'forbidden')
      await app.rows.roles.add({ name: 'gateway', description: '', permissions: 'tokens:introspect', createdAt: 0 })
      await app.admin.giveRole(owner, 'gateway')
      expect(await status(app, text)).toBe(200)
      await app.rows.userRoles.remove()
      await expect(app.admin.createApiKey({ owner, scopes: ['tokens:introspect'] })).rejects.toMatchObject({
        code: 'validation_failed',
      })
    }))

  test('E5: is not an access token: routes for users refuse it', () =>
    withApp({ dialect }, async (app) => {
      const { text: token } = await setUp(app)
      for (const route of app.table.routes.filter(({ access }) => access === 'user' || access === 'existing-user')) {
        const answer = await app.request(route.method, route.pattern.replace(/:\w+/g, '1'), { token })
        // A route with the word `fresh` names the key as the reason.
        expect([route.pattern, answer.status]).toEqual([route.pattern, route.fresh ? 403 : 401])
      }
    }))

  test('O9: is refused once it is revoked or expired, or its owner is deactivated or deleted', () =>
    withApp({ dialect }, async (app) => {
      const { text, id, owner } = await setUp(app, app.clock.now() + MINUTE)
      const second = await app.admin.createApiKey({ owner, scopes: ['tokens:introspect'] })
      await app.clock.advance(MINUTE - 1)
      expect(await status(app, text)).toBe(200)
      await app.clock.advance(1)
      expect(await status(app, text)).toBe(401)
      await app.admin.deactivate(owner)
      expect(await status(app, second.text)).toBe(401)
      await app.admin.activate(owner)
      expect(await status(app, second.text)).toBe(200)
      await app.admin.revokeApiKey(second.id)
      expect(await status(app, second.text)).toBe(401)
      await expect(app.admin.revokeApiKey(second.id)).rejects.toMatchObject({ code: 'api_key_not_found' })
      expect(await audit(app, 'api_key.revoked')).toHaveLength(1)
      await app.admin.deleteUser(owner)
      expect(await rows(app)).toEqual([])
      expect(await status(app, text)).toBe(401)
      expect(id).toBe(1)
    }))

  test('records its last use, at most once a minute', () =>
    withApp({ dialect }, async (app) => {
      const { text } = await setUp(app)
      /** Introspects, and waits for the write that nobody awaits. */
      const usedAt = async (at: number) => {
        await introspect(app, text)
        while ((await rows(app))[0]!.lastUsedAt !== at) await turns(1)
      }
      const first = app.clock.now()
      await usedAt(first)
      await app.clock.advance(59 * SECOND)
      await usedAt(first)
      // A write at second 59 would postpone this one.
      await app.clock.advance(SECOND)
      await usedAt(first + MINUTE)
    }))
})
