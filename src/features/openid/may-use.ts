import type { Client } from '../clients/clients.ts'
import { roleNames, type User } from '../users/users.ts'

/**
 * Returns true when a user may sign in at a client. Every grant of the client for this user asks this again: a code, a
 * refresh and a device (oidc.md O12).
 */
export const mayUse = (client: Client, user: User): boolean =>
  client.isEnabled && user.isActive && (client.requiredRole === null || roleNames(user).includes(client.requiredRole))
