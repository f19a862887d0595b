import { SECOND } from '../../lib/clock.ts'
import { roleNames, type User } from '../users/users.ts'
import type { AccessNeeds } from './access.ts'

/** RFC 7662 section 2.2. */
export type Introspection = { active: false } | ({ active: true } & Record<string, unknown>)

const inactive: Introspection = { active: false }

export const introspect = async (needs: AccessNeeds, token: string): Promise<Introspection> =>
  (await introspectRefreshToken(needs, token)) ?? introspectAccessToken(needs, token)

async function introspectAccessToken({ tokens, sessions }: AccessNeeds, token: string): Promise<Introspection> {
  const claims = await tokens.verifyFresh(token)
  const payload = claims && tokens.read(token)
  const caller = payload && (await sessions.findCaller(claims))
  return caller ? { active: true, token_type: 'Bearer', ...payload, ...presentNames(caller.user) } : inactive
}

async function introspectRefreshToken(
  { sessions, issuer }: AccessNeeds,
  token: string,
): Promise<Introspection | undefined> {
  const found = await sessions.findByRefreshToken(token)
  if (found === undefined) return undefined
  if (found === 'inactive') return inactive
  const { session, user } = found
  return {
    active: true,
    iss: issuer,
    sub: String(user.id),
    ...presentNames(user),
    client_id: 'keyward',
    sid: session.id,
    iat: Math.floor(session.refreshedAt / SECOND),
    exp: Math.floor(session.expiresAt / SECOND),
  }
}

const presentNames = (user: User) => ({ username: user.username, roles: roleNames(user) })
