import { SECOND } from '../../lib/clock.ts'
import type { Deps } from '../../service.ts'
import { findPrincipal } from '../sessions/authenticate.ts'
import { noteSight } from '../sessions/first-sight.ts'
import { parseRefreshToken } from '../sessions/refresh-token.ts'
import * as store from '../sessions/store.ts'
import { roleNames, type User } from '../users/user.ts'

/** RFC 7662 section 2.2. */
export type Introspection = { active: false } | ({ active: true } & Record<string, unknown>)

const inactive: Introspection = { active: false }

/**
 * Whether a token is good now: by its signature and its session, epoch and user. Name and roles are those of now. Asking
 * about a refresh token never rotates it and never counts as its use; but whoever asks has seen it, so from then on its
 * parent is no honest retry (see `refresh`).
 */
export async function introspect(
  deps: Pick<Deps, 'store' | 'clock' | 'config' | 'accessTokens' | 'refreshTokensOf'>,
  token: string,
): Promise<Introspection> {
  return (await introspectRefreshToken(deps, token)) ?? introspectAccessToken(deps, token)
}

async function introspectAccessToken(
  deps: Pick<Deps, 'store' | 'clock' | 'accessTokens'>,
  token: string,
): Promise<Introspection> {
  const claims = await deps.accessTokens.verifyFresh(token)
  const payload = claims && deps.accessTokens.read(token)
  const principal = payload && (await findPrincipal(deps, claims))
  return principal ? { active: true, token_type: 'Bearer', ...payload, ...present(principal.user) } : inactive
}

async function introspectRefreshToken(
  deps: Pick<Deps, 'store' | 'clock' | 'config' | 'refreshTokensOf'>,
  text: string,
): Promise<Introspection | undefined> {
  const token = parseRefreshToken(text)
  if (!token) return undefined
  const found = await store.findWithUser(deps.store, token.sessionId)
  if (!found || !deps.refreshTokensOf(found.session).isGenuine(token)) return inactive
  const { session, user } = found
  const now = deps.clock.now()
  const alive = session.endedAt === null && session.expiresAt > now && isCurrent(user, session.epoch)
  if (!alive || token.generation !== session.generation) return inactive
  if (session.generation > session.confirmedGeneration)
    await noteSight(deps, { sessionId: session.id, generation: session.generation })
  return {
    active: true,
    iss: deps.config.PUBLIC_URL,
    sub: String(user.id),
    ...present(user),
    client_id: 'keyward',
    sid: session.id,
    iat: Math.floor(session.refreshedAt / SECOND),
    exp: Math.floor(session.expiresAt / SECOND),
  }
}

const present = (user: User) => ({ username: user.username, roles: roleNames(user) })

const isCurrent = (user: User, epoch: number): boolean => user.isActive && user.sessionEpoch === epoch
