import { KeywardError } from '../../errors.ts'
import { FormError, parseQuery } from '../../lib/form.ts'
import type { Deps } from '../../service.ts'
import { isPermission, permissionsOf } from '../roles/permissions.ts'
import { roleNames, type User } from '../users/user.ts'

/**
 * Judges what a proxy asks of a request, by the address that it calls: `?role=` or `?permission=` that the user must
 * hold, or both. An unknown, empty or repeated parameter is refused: a misspelt condition must not pass for none.
 * @throws KeywardError `forbidden`
 */
export async function checkCondition(deps: Pick<Deps, 'store'>, user: User, url: string): Promise<void> {
  const conditions = Object.entries(readQuery(url))
  for (const [name, value] of conditions) {
    const held =
      name === 'role'
        ? roleNames(user).includes(value)
        : name === 'permission' && isPermission(value) && (await permissionsOf(deps, user)).has(value)
    if (!held) throw new KeywardError('forbidden')
  }
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
 * The headers that a proxy passes on. Each stands on every answer, empty where there is nothing to say, so that a proxy
 * which copies them always overwrites what the client sent. The address is told only when its owner has proven it.
 */
export const forwardedHeaders = (user: User): Record<string, string> => ({
  'X-Auth-Request-User': String(user.id),
  'X-Auth-Request-Preferred-Username': headerText(user.username),
  'X-Auth-Request-Email': user.emailVerifiedAt === null ? '' : headerText(user.email),
  'X-Auth-Request-Groups': roleNames(user).map(headerText).join(','),
})

/** ASCII as it is, all else percent-encoded: headers have no other way that every proxy keeps. */
const headerText = (text: string): string =>
  text.replace(/[^\x21-\x7e]|%/gu, (character) => encodeURIComponent(character))
