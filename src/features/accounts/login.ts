import type { Deps } from '../../deps.ts'
import { type Grant, grantSession } from '../sessions/grant.ts'
import { type PasswordAttempt, verifyPassword } from '../users/verify-password.ts'

/**
 * Begins a session for who knows the account's password.
 * @throws KeywardError `invalid_credentials`, `overloaded`
 */
export async function login(
  deps: Pick<Deps, 'store' | 'clock' | 'random' | 'passwords' | 'accessTokens'>,
  attempt: PasswordAttempt,
): Promise<Grant> {
  const user = await verifyPassword(deps, attempt)
  return grantSession(deps, { user, amr: ['pwd'] })
}
