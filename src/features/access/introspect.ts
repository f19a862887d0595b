import { SECOND } from '../../lib/clock.ts'
import { roleNames, type User } from '../users/users.ts'
import type { AccessNeeds } from './access.ts'

/** The answer of an introspection (RFC 7662 section 2.2). */
export type Introspection = { active: false } | ({ active: true } & Record<string, unknown>)

export async function introspect({ tokens, sessions, issuer }: AccessNeeds, token: string): Promise<Introspection> {
  const found = await sessions.findByRefreshToken(token)
  if (found) {
    const { session, user } = found
    return {
      active: true,
      iss: issuer,
      sub: String(user.id),
      ...currentNames(user),
      client_id: session.clientId ?? 'keyward',
      ...(session.scope !== null && { scope: session.scope }),
      sid: session.id,
      iat: Math.floor(session.refreshedAt / SECOND),
      exp: Math.floor(session.expiresAt / SECOND),
    }
  }
  const claims = await tokens.verifyFresh(token)
  const payload = claims && tokens.read(token)
  const caller = payload && (await sessions.findCaller(claims))
  return caller ? { active: true, token_type: 'Bearer', ...payload, ...currentNames(caller.user) } : { active: false }
}

const currentNames = (user: User) => ({ username: user.username, roles: roleNames(user) })
