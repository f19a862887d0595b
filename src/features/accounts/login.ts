import { KeywardError } from '../../errors.ts'
import type { Deps } from '../../service.ts'
import { record } from '../audit/audit.ts'
import { grantSession, type LoginGrant } from '../sessions/grant.ts'
import type { Origin } from '../sessions/session.ts'
import { judgeGuess } from './guessing.ts'
import { findAccount, verifyPassword } from './verify-password.ts'

export interface Login {
  /** Username or email address. */
  identifier: string
  password: string
  /** What an earlier log-in on this device was given. */
  deviceToken?: string
  origin: Origin
  /** The network that asks, for limits and the hash gate. */
  client: string
}

/**
 * Begins a session for who knows the account's password. An unknown name, a wrong password and an inactive account are
 * refused alike, after the same work.
 * @throws KeywardError `invalid_credentials`, `rate_limited`, `overloaded`
 */
export const login = (deps: LoginDeps & Pick<Deps, 'metrics'>, attempt: Login): Promise<LoginGrant> =>
  deps.metrics.login('password', logIn(deps, attempt))

type LoginDeps = Pick<
  Deps,
  'store' | 'clock' | 'random' | 'config' | 'passwords' | 'limits' | 'accessTokens' | 'refreshTokensOf' | 'deviceTokens'
>

async function logIn(
  deps: LoginDeps,
  { identifier, password, deviceToken, origin, client }: Login,
): Promise<LoginGrant> {
  const { user, name } = await findAccount(deps, identifier)
  const shown = deviceToken === undefined ? undefined : await deps.deviceTokens.read(deviceToken)
  const guess = { user, name, client, ip: origin.ip, device: shown }
  const grant = await judgeGuess(deps, guess, {
    check: () => verifyPassword(deps, user, password, client),
    act: ({ device, forgive }) => grantSession(deps, { user: user!, amr: ['pwd'], origin, device, alongside: forgive }),
  })
  if (grant) return grant
  await record(deps, { event: 'login.failed', userId: user?.id, ip: origin.ip })
  throw new KeywardError('invalid_credentials')
}
