import type { Clock } from '../../lib/clock.ts'
import type { Locale } from '../../lib/locale.ts'
import type { Store } from '../../storage/store.ts'
import type { ApiKeys } from '../api-keys/api-keys.ts'
import type { Audit } from '../audit/audit.ts'
import type { Limits } from '../limits/limits.ts'
import type { Mails } from '../mail/mail.ts'
import type { Passwords } from '../passwords/passwords.ts'
import type { Proofs } from '../proofs/proofs.ts'
import type { Sessions } from '../sessions/sessions.ts'
import type { User, Users } from '../users/users.ts'
import { findByToken, type PasswordReset, resetPassword } from './reset-password.ts'

export type { PasswordReset } from './reset-password.ts'

export interface VerificationNeeds {
  store: Store
  clock: Clock
  audit: Audit
  users: Users
  passwords: Passwords
  limits: Limits
  sessions: Sessions
  apiKeys: Pick<ApiKeys, 'revokeOf'>
  proofs: Proofs
  mails: Pick<Mails, 'ask' | 'notify'>
}

/** A mail that somebody asks for, to an address as it was typed. */
export interface AskedFor {
  email: string
  /** The language of the request. A user's own language goes before it. */
  locale: Locale | undefined
  /** The client's network, for limits. */
  client: string
  ip: string
}

/** What people do with the links and codes of mails. */
export interface Verification {
  /**
   * Sends a link to choose a new password, if the address belongs to an active account. The answer and the work are the
   * same for every address.
   * @throws KeywardError `mail_not_configured`, `validation_failed`, `rate_limited`
   */
  forgotPassword(asked: AskedFor): Promise<void>
  /**
   * The account whose password a link would set. It uses up nothing, so that programs that open every link of a mail do
   * no harm.
   * @returns undefined when the link is unknown, used, expired or void
   */
  findForReset(token: string): Promise<User | undefined>
  /**
   * Sets a new password with the token of a mail. All sessions of the user end, and all known devices and networks are
   * forgotten. The mail proves the address. When the address was not proved before, API keys are revoked too, because
   * somebody else may have made the account. Nobody is logged in.
   * @throws KeywardError `invalid_or_expired`, `validation_failed` (the token stays good), `overloaded`
   */
  resetPassword(reset: PasswordReset): Promise<void>
}

export const createVerification = (needs: VerificationNeeds): Verification => ({
  forgotPassword: async (asked) => void (await needs.mails.ask({ kind: 'reset_password', ...asked })),
  findForReset: async (token) => (await findByToken(needs, 'reset_password', token))?.user,
  resetPassword: (reset) => resetPassword(needs, reset),
})
