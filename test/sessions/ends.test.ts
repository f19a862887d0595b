import { expect, test } from 'bun:test'
import { DAY } from '../../src/lib/clock.ts'
import type { SignedUp, TestApp } from '../support/app.ts'
import { keyward } from '../support/cli.ts'
import { describeEachDialect } from '../support/dialects.ts'
import { withApp } from '../support/hooks.ts'
import { type Browser, type Granted, grant, OFFLINE, origin, refreshAt, signIn } from './kinds.ts'
import { loggedIn } from './support.ts'

interface Story {
  app: TestApp
  user: SignedUp
  browser: Browser
  offline: Granted
}

interface Way {
  name: string
  end: (story: Story) => Promise<unknown>
  /** Whether the session that is offline ends too. */
  endsAll: boolean
  reason: string
}

const command =
  (line: string) =>
  async ({ app }: Story) => {
    const { code } = await keyward(line.split(' '), { databaseUrl: app.databaseUrl, clock: app.clock })
    expect(code).toBe(0)
  }

const byUser =
  (path: string) =>
  ({ app, user, browser }: Story) =>
    app.request('DELETE', `/users/me/sessions${path.replace(':id', browser.id)}`, { token: user.grant.access_token })

const below = { endsAll: false, reason: 'browser_session_ended' }
const ways: Way[] = [
  {
    name: 'a sign-out',
    end: async ({ app, user, browser }) =>
      app.process.sessions.endBrowser({ id: browser.id, user: await app.admin.user(user.id) }, origin.ip),
    ...below,
  },
  { name: 'the end of the browser session by its user', end: byUser('/:id'), ...below },
  {
    name: 'the sign-in of another user',
    end: async ({ app, browser }) => signIn(app, await app.signUp('bob'), { replaces: browser.id }),
    ...below,
  },
  {
    name: 'too many logins',
    end: async ({ app, user }) => {
      for (let at = 0; at < 3; at++) {
        app.clock.setWall(app.clock.now() + 1)
        await loggedIn(app, user)
      }
    },
    ...below,
  },
  {
    name: 'the end of the day of the browser session',
    end: async ({ app }) => {
      app.clock.setWall(app.clock.now() + DAY)
      await app.process.cleanUp()
    },
    endsAll: false,
    reason: 'expired',
  },
  { name: 'the end of all other sessions', end: byUser('?except=current'), endsAll: true, reason: 'ended_by_user' },
  { name: 'the end of all sessions', end: byUser(''), endsAll: true, reason: 'ended_by_user' },
  {
    name: 'another password',
    end: ({ app, user }) =>
      app.request('PUT', '/users/me/password', {
        token: user.grant.access_token,
        json: { current_password: user.password, new_password: 'another stapled horse' },
      }),
    endsAll: true,
    reason: 'password_changed',
  },
  {
    name: 'a deactivation',
    end: ({ app, user }) => app.admin.deactivate(user.id),
    endsAll: true,
    reason: 'deactivated',
  },
  { name: '`sessions end`', end: command('sessions end ada'), endsAll: true, reason: 'ended_by_admin' },
  { name: '`sessions end --all`', end: command('sessions end --all --yes'), endsAll: true, reason: 'ended_by_admin' },
  { name: '`secrets renew`', end: command('secrets renew --yes'), endsAll: true, reason: 'secrets_renewed' },
  {
    name: 'the deletion of the account',
    end: ({ app, user }) => app.request('DELETE', '/users/me', { token: user.grant.access_token }),
    endsAll: true,
    reason: 'deleted',
  },
]

const byId = (a: { sessionId: string }, b: { sessionId: string }) => a.sessionId.localeCompare(b.sessionId)

describeEachDialect('the sessions of clients', (dialect) => {
  test.each(ways)('F8: end with their browser session by $name', async ({ end, endsAll, reason }) => {
    const outgoing = {
      fetch: async () => {
        throw new Error('the client does not answer, so the logout stays queued')
      },
    }
    const env = { MAX_SESSIONS_PER_USER: '3' }
    await withApp({ dialect, env, replace: { outgoing: () => outgoing } }, async (app) => {
      const register = async (name: string) =>
        (await app.admin.createClient({ name, backchannelLogoutUri: 'https://shop.example/out', idTokenAlg: 'ES256' }))
          .client.id
      const [client, other] = [await register('Shop'), await register('Forum')]
      const user = await app.signUp('ada')
      const ofOther = await grant(app, await app.signUp('eve'), { scope: OFFLINE })
      const browser = await signIn(app, user)
      const online = await grant(app, user, { parent: browser, client })
      const offline = await grant(app, user, { parent: browser, scope: OFFLINE, client: other })
      await end({ app, user, browser, offline })
      expect(await app.process.sessions.findByCookie(browser.cookie)).toBeUndefined()
      await expect(refreshAt(app, online.token, { client })).rejects.toMatchObject({ code: 'invalid_refresh_token' })
      const [row] = await app.rows.sessions.all({ id: online.id })
      expect(row?.endReason ?? 'deleted').toBe(reason)
      if (endsAll)
        await expect(refreshAt(app, offline.token, { client: other })).rejects.toMatchObject({
          code: 'invalid_refresh_token',
        })
      else await refreshAt(app, offline.token, { client: other })
      const isOfAll = (await app.rows.sessions.one({ id: ofOther.id })).endedAt !== null
      expect(isOfAll).toBe(reason === 'secrets_renewed' || end === ways.find(({ name }) => name.includes('--all'))!.end)
      const queued = await app.rows.logoutDeliveries.all()
      expect(queued.map(({ sessionId, userId, clientId }) => ({ sessionId, userId, clientId })).sort(byId)).toEqual(
        [
          { sessionId: online.id, userId: user.id, clientId: client },
          ...(endsAll ? [{ sessionId: offline.id, userId: user.id, clientId: other }] : []),
        ].sort(byId),
      )
    })
  })
})
