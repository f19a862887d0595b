import type { Client } from '../clients/clients.ts'
import { levelOf, reaches } from '../tokens/tokens.ts'
import { roleNames, type User } from '../users/users.ts'

/**
 * Returns true when a user may sign in at a client. Every grant of the client for this user asks this again: a code, a
 * refresh and a device (oidc.md O12).
 */
export const mayUse = (client: Client, user: User): boolean =>
  client.isEnabled && user.isActive && (client.requiredRole === null || roleNames(user).includes(client.requiredRole))

/**
 * Returns true when a sign-in with these methods has the level that the client requires of every sign-in. Asked at the
 * same places as `mayUse`.
 */
export const isStrongEnough = ({ requiredAcr }: Client, amr: readonly string[]): boolean =>
  requiredAcr === null || reaches(levelOf(amr), requiredAcr)
