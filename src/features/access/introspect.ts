import { SECOND } from '../../lib/clock.ts'
import { levelOf, OWN_CLIENT } from '../tokens/tokens.ts'
import { roleNames, type User } from '../users/users.ts'
import type { AccessNeeds } from './access.ts'

/** The answer of an introspection (RFC 7662 section 2.2). */
export type Introspection = { active: false } | ({ active: true } & Record<string, unknown>)

const inactive: Introspection = { active: false }

export async function introspect(needs: AccessNeeds, token: string, by: string | undefined): Promise<Introspection> {
  const { tokens, sessions, factors, issuer } = needs
  const isOthers = (clientId: string) => by !== undefined && by !== clientId
  const found = await sessions.findByRefreshToken(token)
  if (found) {
    const { session } = found
    const amr = session.amr.split(' ')
    const user = await factors.atLevel(found.user, levelOf(amr))
    const clientId = session.clientId ?? OWN_CLIENT
    if (isOthers(clientId) || (await isSwitchedOff(needs, clientId))) return inactive
    return {
      active: true,
      iss: issuer,
      sub: String(user.id),
      ...currentNames(user, session.clientId === null ? undefined : (session.scope ?? '')),
      client_id: clientId,
      ...(session.clientId !== null && { scope: session.scope ?? '' }),
      sid: session.id,
      iat: Math.floor(session.refreshedAt / SECOND),
      exp: Math.floor(session.expiresAt / SECOND),
      auth_time: Math.floor(session.authTime / SECOND),
      amr,
      acr: levelOf(amr),
    }
  }
  const claims = await tokens.verifyFresh(token)
  if (!claims) return introspectService(needs, token, by)
  if (isOthers(claims.clientId)) return inactive
  const payload = tokens.read(token)
  const caller = payload && (await sessions.findCaller(claims))
  if (!caller) return inactive
  if (await isSwitchedOff(needs, claims.clientId)) return inactive
  const user = await factors.atLevel(caller.user, claims.acr)
  const names = currentNames(user, claims.clientId === OWN_CLIENT ? undefined : (claims.scope ?? ''))
  return { active: true, token_type: 'Bearer', ...payload, ...names }
}

/** A client that was disabled or deleted has no live tokens. */
const isSwitchedOff = async ({ clients }: AccessNeeds, clientId: string): Promise<boolean> =>
  clientId !== OWN_CLIENT && !(await clients.find(clientId))?.isEnabled

/** The token of a client itself is active while the client is registered and enabled. */
async function introspectService(
  { tokens, clients }: AccessNeeds,
  token: string,
  by: string | undefined,
): Promise<Introspection> {
  const claims = await tokens.verifyService(token)
  if (!claims || (by !== undefined && by !== claims.clientId)) return inactive
  if (!(await clients.find(claims.clientId))?.isEnabled) return inactive
  return { active: true, token_type: 'Bearer', ...tokens.read(token) }
}

/** Username and roles as they are now, at the level of the session. Of a client's token, only what its scope shows. */
function currentNames(user: User, scope: string | undefined): object {
  const shows = (word: string) => scope === undefined || scope.split(' ').includes(word)
  return {
    ...(shows('profile') && { username: user.username }),
    ...(shows('groups') && { roles: roleNames(user) }),
  }
}
