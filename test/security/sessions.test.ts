import { afterEach, beforeEach, expect, test } from 'bun:test'
import { eq } from 'drizzle-orm'
import { giveRole } from '../../src/features/roles/assign.ts'
import { audit, decode, loggedIn, me, type Pair, refresh, refreshed, sessionIdOf } from '../sessions/support.ts'
import { createTestApp, type SignedUp, type TestApp } from '../support/app.ts'
import { keyward } from '../support/cli.ts'
import { describeEachDialect } from '../support/dialects.ts'
import { expectRefusal } from '../support/refusal.ts'

describeEachDialect('sessions', (dialect) => {
  let app: TestApp
  let ada: SignedUp
  beforeEach(async () => {
    app = await createTestApp({ dialect })
    ada = await app.signUp('ada')
  })
  afterEach(() => app.close())

  const alive = async (pair: Pair): Promise<boolean> => {
    const access = (await me(app, pair.access_token)) === 200
    const renewed = await refresh(app, pair.refresh_token)
    // Never one without the other.
    expect(renewed.status).toBe(access ? 200 : 401)
    return access
  }
  const cli = (...argv: string[]) => keyward(argv, { databaseUrl: app.databaseUrl, clock: app.clock })

  const ends: Record<string, { all: boolean; act: (pair: Pair) => Promise<unknown> }> = {
    'POST /logout': { all: false, act: ({ access_token: token }) => app.request('POST', '/logout', { token }) },
    'POST /revoke with the refresh token': {
      all: false,
      act: ({ refresh_token: token }) => app.request('POST', '/revoke', { form: { token } }),
    },
    'POST /revoke with the access token': {
      all: false,
      act: ({ access_token: token }) => app.request('POST', '/revoke', { form: { token } }),
    },
    'DELETE of the one session': {
      all: false,
      act: (pair) => app.request('DELETE', `/users/me/sessions/${sessionIdOf(pair)}`, { token: pair.access_token }),
    },
    'DELETE of all sessions': {
      all: true,
      act: ({ access_token: token }) => app.request('DELETE', '/users/me/sessions', { token }),
    },
    'keyward users set-password': {
      all: true,
      act: () =>
        keyward(['users', 'set-password', 'ada'], {
          databaseUrl: app.databaseUrl,
          clock: app.clock,
          secret: 'set by somebody else',
        }),
    },
    'keyward users deactivate': { all: true, act: () => cli('users', 'deactivate', 'ada') },
    'keyward users delete': { all: true, act: () => cli('users', 'delete', 'ada') },
  }

  test.each(Object.entries(ends))('E13, F8: %s ends what it names, at once, and no more', async (_, { all, act }) => {
    const bea = await app.signUp('bea')
    const one = await loggedIn(app, ada)
    const other = await loggedIn(app, ada)
    await act(one)
    expect(await alive(one)).toBe(false)
    expect(await alive(other)).toBe(!all)
    expect(await alive(bea.grant as unknown as Pair)).toBe(true)
  })

  test('F8: a changed password ends every session but the one that changed it', async () => {
    const one = await loggedIn(app, ada)
    const other = await loggedIn(app, ada)
    const json = { current_password: ada.password, new_password: 'a quite new and long one' }
    expect((await app.request('PUT', '/users/me/password', { json, token: one.access_token })).status).toBe(204)
    expect(await alive(other)).toBe(false)
    expect(await alive(one)).toBe(true)
  })

  test('F8: revoking what nobody made is 200 and ends nothing (RFC 7009 section 2.2)', async () => {
    for (const token of ['x', 'kwr_', 'kwr_AAAA', 'a.b.c', `${ada.grant.refresh_token}x`, '\0'])
      expect((await app.request('POST', '/revoke', { form: { token } })).status).toBe(200)
    expect(await alive(ada.grant as unknown as Pair)).toBe(true)
  })

  test('F9: a thousand refresh tokens are a thousand secrets', async () => {
    const chain = async (): Promise<string[]> => {
      const tokens = [(await loggedIn(app, ada)).refresh_token]
      while (tokens.length < 50) tokens.push((await refreshed(app, tokens.at(-1)!)).refresh_token)
      return tokens
    }
    const tokens = (await Promise.all(Array.from({ length: 20 }, chain))).flat()
    // The last 32 bytes are a MAC; of those no two begin or end alike.
    const macs = tokens.map((token) => Buffer.from(token.slice(4), 'base64url').subarray(-32).toString('hex'))
    for (const part of [macs.map((mac) => mac.slice(0, 16)), macs.map((mac) => mac.slice(-16))])
      expect(new Set(part).size).toBe(1_000)
  })

  test('F11, O3: a role that is given or taken shows at the next refresh, and counts at once', async () => {
    const introspect = (token: string) => app.request('POST', '/introspect', { token, form: { token } })
    const roles = (pair: Pair) => decode(pair.access_token).payload.roles
    const before = ada.grant as unknown as Pair
    expect(roles(before)).toEqual(['user'])
    await expectRefusal(await introspect(before.access_token), 'forbidden')
    await giveRole(app.deps, { userId: ada.id, role: 'admin' })
    expect((await introspect(before.access_token)).status).toBe(200)
    const promoted = await refreshed(app, before.refresh_token)
    expect(roles(promoted)).toEqual(['admin', 'user'])
    const { q, t } = app.deps.store
    await q.delete(t.userRoles).where(eq(t.userRoles.userId, ada.id))
    await expectRefusal(await introspect(promoted.access_token), 'forbidden')
    expect(roles(await refreshed(app, promoted.refresh_token))).toEqual(['user'])
  })

  test('G2: nobody ends or sees the session of another', async () => {
    const bea = await app.signUp('bea')
    const victim = await loggedIn(app, ada)
    const { access_token: token } = bea.grant
    const id = sessionIdOf(victim)
    const unknown = await app.request('DELETE', '/users/me/sessions/Dmre_alCbeRLXLZnuxdtDg', { token })
    const foreign = await app.request('DELETE', `/users/me/sessions/${id}`, { token })
    const refusal = await expectRefusal(foreign, 'session_not_found')
    expect(refusal).toEqual(await expectRefusal(unknown, 'session_not_found'))
    const seen = await (await app.request('GET', '/users/me/sessions', { token })).text()
    expect(seen).not.toContain(id)
    expect(await alive(victim)).toBe(true)
    expect(await audit(app, 'session.ended')).toEqual([])
  })

  test('G3: nothing from before a login is worth anything after it', async () => {
    const sid = sessionIdOf(await loggedIn(app, ada))
    const ids = new Set([sid])
    for (let at = 0; at < 10; at++) {
      const answer = await app.request('POST', `/token?sid=${sid}`, {
        form: { username: 'ada', password: ada.password, sid, session_id: sid, state: sid },
        headers: { cookie: `sid=${sid}; session=${sid}`, 'x-session-id': sid },
      })
      ids.add(sessionIdOf((await answer.json()) as Pair))
    }
    expect(ids.size).toBe(11)
  })

  test('E5: no other token is an access token', async () => {
    const { refresh_token, device_token, access_token } = await loggedIn(app, ada)
    for (const token of [refresh_token, device_token, sessionIdOf({ access_token } as Pair), 'kw_', ada.password]) {
      const answer = await app.request('GET', '/users/me', { headers: { authorization: `Bearer ${token}` } })
      await expectRefusal(answer, 'invalid_token')
    }
    // Nor the other way round.
    expect((await refresh(app, access_token)).status).toBe(401)
    expect((await refresh(app, device_token)).status).toBe(401)
  })
})
