import { KeywardError } from '../../errors.ts'
import { FormError, parseQuery } from '../../lib/form.ts'
import { isPermission } from '../roles/roles.ts'
import type { SessionCaller } from '../sessions/sessions.ts'
import { isLevel, type Level, reaches } from '../tokens/tokens.ts'
import { roleNames, type User } from '../users/users.ts'
import type { AccessNeeds } from './access.ts'
import { requireAtLevel } from './authorize.ts'

export async function forwardAuth(
  needs: AccessNeeds,
  { user: stored, sessionId, acr }: SessionCaller,
  { url, token }: { url: string; token: string },
): Promise<Record<string, string>> {
  const { roles, tokens, factors } = needs
  const { token: asked, acr: level, ...conditions } = readQuery(url)
  if ((asked !== undefined && asked !== '1') || (level !== undefined && !isLevel(level)))
    throw new KeywardError('forbidden')
  for (const [name, value] of Object.entries(conditions)) {
    const holds = async (user: User) =>
      name === 'role'
        ? roleNames(user).includes(value)
        : name === 'permission' && isPermission(value) && (await roles.permissionsOf(user)).has(value)
    await requireAtLevel(needs, { user: stored, acr }, holds)
  }
  // Last, because only the level can be reached by another factor.
  if (level !== undefined && !reaches(acr, level))
    throw new KeywardError('reauthentication_required', { level, sentence: 'Show a second factor first' })
  const user = await factors.atLevel(stored, acr)
  if (asked === undefined) return forwardedHeaders({ user, acr }, '')
  const made = tokens.mintForProxy(token, {
    userId: user.id,
    sessionId,
    username: user.username,
    email: user.emailVerifiedAt === null ? undefined : user.email,
    roles: roleNames(user),
    acr,
  })
  if (made === undefined) throw new KeywardError('forbidden')
  return forwardedHeaders({ user, acr }, made)
}

function readQuery(url: string): Record<string, string> {
  try {
    return parseQuery(url)
  } catch (error) {
    if (error instanceof FormError) throw new KeywardError('forbidden')
    throw error
  }
}

/**
 * The headers that a proxy copies to the request. Every answer with status 200 has all of these headers, and a header
 * without a value is empty. The proxy therefore always overwrites a header that the client sent. An email address that
 * is not verified is not sent, because the user may not own the address.
 */
const forwardedHeaders = ({ user, acr }: { user: User; acr: Level }, token: string): Record<string, string> => ({
  'X-Auth-Request-User': String(user.id),
  'X-Auth-Request-Preferred-Username': headerText(user.username),
  'X-Auth-Request-Email': user.emailVerifiedAt === null ? '' : headerText(user.email),
  'X-Auth-Request-Groups': roleNames(user).map(headerText).join(','),
  'X-Auth-Request-Acr': acr,
  'X-Auth-Request-Access-Token': token,
})

/** Percent-encodes `%`, the space and all but printable ASCII, because some proxies change such characters. */
const headerText = (text: string): string =>
  text.replace(/[^\x21-\x7e]|%/gu, (character) => encodeURIComponent(character))
