import type { Deps } from '../../deps.ts'
import { grantSession, type LoginGrant } from '../sessions/grant.ts'
import type { Origin } from '../sessions/session.ts'
import { type PasswordAttempt, verifyPassword } from '../users/verify-password.ts'

export interface Login extends PasswordAttempt {
  origin: Origin
  /** What an earlier log-in on this device was given. */
  deviceToken?: string
}

/**
 * Begins a session for who knows the account's password.
 * @throws KeywardError `invalid_credentials`, `overloaded`
 */
export const login = (deps: LoginDeps & Pick<Deps, 'metrics'>, attempt: Login): Promise<LoginGrant> =>
  deps.metrics.login('password', logIn(deps, attempt))

type LoginDeps = Pick<
  Deps,
  'store' | 'clock' | 'random' | 'config' | 'passwords' | 'accessTokens' | 'refreshTokens' | 'deviceTokens'
>

async function logIn(deps: LoginDeps, { origin, deviceToken, ...attempt }: Login): Promise<LoginGrant> {
  const device = deviceToken === undefined ? undefined : await deps.deviceTokens.read(deviceToken)
  const user = await verifyPassword(deps, attempt)
  return grantSession(deps, { user, amr: ['pwd'], origin, device })
}
