import type { Client } from '../clients/clients.ts'
import { levelOf, reaches } from '../tokens/tokens.ts'
import { roleNames, type User } from '../users/users.ts'
import type { OpenIdNeeds } from './openid.ts'

/**
 * Returns true when a user, as `countedUser` returns it, may sign in at a client. Every grant of the client for this user asks this again: a code, a
 * refresh and a device (oidc.md O12).
 */
export const mayUse = (client: Client, user: User): boolean =>
  client.isEnabled && user.isActive && (client.requiredRole === null || roleNames(user).includes(client.requiredRole))

/**
 * Returns a user with the roles that count in a sign-in with these methods: a role that requires a second factor counts
 * only with one. `mayUse` and every claim about roles take this user.
 */
export const countedUser = ({ factors }: Pick<OpenIdNeeds, 'factors'>, user: User, amr: readonly string[]) =>
  factors.atLevel(user, levelOf(amr))

/**
 * Returns true when a sign-in with these methods has the level that the client requires of every sign-in. Asked at the
 * same places as `mayUse`.
 */
export const isStrongEnough = ({ requiredAcr }: Client, amr: readonly string[]): boolean =>
  requiredAcr === null || reaches(levelOf(amr), requiredAcr)
