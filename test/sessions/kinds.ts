import type { Begun, BegunSession, ClientSession } from '../../src/features/sessions/sessions.ts'
import { MINUTE } from '../../src/lib/clock.ts'
import type { SignedUp, TestApp } from '../support/app.ts'
import { turns } from './support.ts'

/* Sessions of browsers and of clients, as the pages and the grants begin them. */

export const origin = { ip: '192.0.2.7', userAgent: 'Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Firefox/145.0' }

/** The scope of a session that outlives its browser session. */
export const OFFLINE = 'openid offline_access'

export interface Browser {
  id: string
  cookie: string
}

/** Signs a user in on a page. */
export async function signIn(
  app: TestApp,
  { id }: Pick<SignedUp, 'id'>,
  browser: { isRemembered?: boolean; replaces?: string } = {},
): Promise<Browser> {
  const user = await app.admin.user(id)
  const login = { user, amr: ['pwd'], origin, browser: { isRemembered: false, ...browser } }
  const begun = begunSession(await app.process.transaction(() => app.process.sessions.begin(login)))
  return { id: begun.session.id, cookie: app.process.sessions.cookieOf(begun) }
}

/** The session of a login for which no second factor is due. */
export function begunSession(begun: Begun): BegunSession {
  if ('due' in begun) throw new Error('a second factor is due')
  return begun
}

export interface Granted {
  id: string
  token: string
  session: ClientSession
}

/** Gives a client a session, as the code flow does. */
export async function grant(
  app: TestApp,
  { id }: Pick<SignedUp, 'id'>,
  asked: { parent?: Browser; client?: string; scope?: string; epoch?: number } = {},
): Promise<Granted> {
  const user = await app.admin.user(id)
  const { parent, client = 'kwa_a', scope = 'openid', epoch = user.sessionEpoch } = asked
  const isOffline = scope.includes('offline_access')
  const begun = await app.process.transaction(() =>
    app.process.sessions.beginForClient({
      user,
      epoch,
      parent: parent?.id,
      client: { id: client },
      scope,
      resources: ['https://api.example'],
      isOffline,
      amr: ['pwd'],
      authTime: app.clock.now(),
      origin,
    }),
  )
  const { session, refreshToken } = app.process.sessions.finishForClient(begun)
  return { id: session.id, token: refreshToken, session }
}

/** Refreshes at a client. */
export const refreshAt = (
  app: TestApp,
  token: string,
  { client = 'kwa_a', allow = () => {} }: { client?: string; allow?: () => Promise<void> | void } = {},
) => app.process.sessions.refreshForClient(token, { clientId: client, origin, allow })

/** Whether the session of a client has not ended. */
export async function goesOn(app: TestApp, { id }: { id: string }): Promise<boolean> {
  const { endedAt, expiresAt } = await app.rows.sessions.one({ id })
  return endedAt === null && expiresAt > app.clock.now()
}

/** Shows the cookie, and waits until its use is recorded if it is time to. */
export async function used(app: TestApp, { id, cookie }: Browser): Promise<void> {
  const before = await app.rows.sessions.one({ id })
  const found = await app.process.sessions.findByCookie(cookie)
  if (!found) throw new Error('the cookie finds no session')
  if (app.clock.now() - before.refreshedAt < 5 * MINUTE) return turns(20)
  while ((await app.rows.sessions.one({ id })).refreshedAt === before.refreshedAt) await turns(1)
}
