import { invalidField, KeywardError } from '../../errors.ts'
import type { Deps } from '../../service.ts'
import { record } from '../audit/audit.ts'
import { checkPassword } from '../passwords/policy.ts'
import type { SessionCaller } from '../sessions/authenticate.ts'
import { endAllSessions } from '../sessions/end.ts'
import { judgeGuess } from './guessing.ts'
import { replacePassword, verifyOwnPassword } from './own-password.ts'

export interface PasswordChange {
  currentPassword: string
  newPassword: string
  ip: string
  /** The network that asks, for limits and the hash gate. */
  client: string
}

/**
 * Changes the own password. All other sessions end with it, and log-ins under way with the old password come to
 * nothing; the session that asked lives on.
 * The current password has the same limits as at log-in: a stolen access token is no way around them.
 * @throws KeywardError `validation_failed`, `rate_limited`, `overloaded`, `invalid_password` (also when the password was
 *   changed meanwhile)
 */
export async function changePassword(
  deps: Pick<Deps, 'store' | 'clock' | 'config' | 'passwords' | 'limits'>,
  { user, userId, sessionId }: SessionCaller,
  { currentPassword, newPassword, ip, client }: PasswordChange,
): Promise<void> {
  const { email, username } = user
  const weakness = checkPassword(newPassword, { email, username, minLength: deps.config.PASSWORD_MIN_LENGTH })
  if (weakness) throw invalidField('new_password', weakness)
  let verifiedHash: string | undefined
  const guess = { user, name: user.username, client, ip }
  const changed = await judgeGuess(deps, guess, {
    async check() {
      verifiedHash = await verifyOwnPassword(deps, { userId, password: currentPassword, client })
      return verifiedHash !== undefined
    },
    async act({ forgive }) {
      const { hash, scheme } = await deps.passwords.hash(newPassword, client)
      return deps.store.transaction(async () => {
        if (!(await replacePassword(deps, { id: userId, verifiedHash: verifiedHash!, hash, scheme })))
          throw new KeywardError('invalid_password')
        await endAllSessions(deps, { userId, keep: sessionId, reason: 'password_changed' })
        await record(deps, { event: 'password.changed', userId, sessionId, ip })
        await forgive()
        return true
      })
    },
  })
  if (changed) return
  await record(deps, { event: 'password.change_refused', userId, sessionId, ip })
  throw new KeywardError('invalid_password')
}
