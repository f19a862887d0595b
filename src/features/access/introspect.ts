import { SECOND } from '../../lib/clock.ts'
import { type AccessTokenClaims, OWN_CLIENT } from '../tokens/tokens.ts'
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
  const caller = claims && (await sessions.findCaller(claims))
  if (!caller && !(await tokens.verifyService(token))) return { active: false }
  const names = caller && namesFor(claims, caller.user)
  return { active: true, token_type: 'Bearer', ...tokens.read(token), ...names }
}

/** The current names of the user; of a client's token only those that its scopes allow. */
function namesFor({ clientId, scope = '' }: AccessTokenClaims, user: User) {
  const names = currentNames(user)
  if (clientId === OWN_CLIENT) return names
  const granted = new Set(scope.split(' '))
  return {
    username: granted.has('profile') ? names.username : undefined,
    roles: granted.has('groups') ? names.roles : undefined,
  }
}

const currentNames = (user: User) => ({ username: user.username, roles: roleNames(user) })
