import { KeywardError } from '../../errors.ts'
import { FormError, parseQuery } from '../../lib/form.ts'
import { isPermission } from '../roles/roles.ts'
import { roleNames, type User } from '../users/users.ts'
import type { AccessNeeds } from './access.ts'

export async function checkCondition({ roles }: AccessNeeds, user: User, url: string): Promise<void> {
  for (const [name, value] of Object.entries(readQuery(url))) {
    const held =
      name === 'role'
        ? roleNames(user).includes(value)
        : name === 'permission' && isPermission(value) && (await roles.permissionsOf(user)).has(value)
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
 * The headers that a proxy copies to the request. Every answer has all of these headers; a header without a value is
 * empty. The proxy therefore always overwrites a header that the client sent. Only a verified email address is sent.
 */
export const forwardedHeaders = (user: User): Record<string, string> => ({
  'X-Auth-Request-User': String(user.id),
  'X-Auth-Request-Preferred-Username': headerText(user.username),
  'X-Auth-Request-Email': user.emailVerifiedAt === null ? '' : headerText(user.email),
  'X-Auth-Request-Groups': roleNames(user).map(headerText).join(','),
})

/** Keeps printable ASCII and percent-encodes the rest, because some proxies change other characters. */
const headerText = (text: string): string =>
  text.replace(/[^\x21-\x7e]|%/gu, (character) => encodeURIComponent(character))
