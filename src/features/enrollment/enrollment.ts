import type { Locale } from '../../lib/locale.ts'
import type { Store } from '../../storage/store.ts'
import type { Accounts, FreshProof } from '../accounts/accounts.ts'
import type { CredentialKind, Factor, Factors, PendingPasskey, PendingTotp } from '../factors/factors.ts'
import type { Limits } from '../limits/limits.ts'
import type { Mails } from '../mail/mail.ts'
import type { Proofs } from '../proofs/proofs.ts'
import type { EnrollmentToken, SessionCaller, Sessions } from '../sessions/sessions.ts'
import type { Users } from '../users/users.ts'
import { addPasskey, beginPasskey } from './add-passkey.ts'
import { type Added, beginTotp, confirmTotp } from './add-totp.ts'
import {
  type AddedAtLogin,
  beginTotpAtLogin,
  confirmTotpAtLogin,
  type EnrollmentStep,
  type NewTotpAtLogin,
  prepareAtLogin,
  type TotpAtLogin,
} from './at-login.ts'
import { isRequired, remove, rename, renewCodes } from './change.ts'
import { type OwnTrustedDevices, ownTrustedDevices } from './trusted.ts'

export type { Added } from './add-totp.ts'
export type { AddedAtLogin, EnrollmentStep } from './at-login.ts'

export interface EnrollmentNeeds {
  store: Store
  limits: Pick<Limits, 'reserve'>
  users: Pick<Users, 'find' | 'hold'>
  factors: Factors
  sessions: Pick<Sessions, 'endAll' | 'raise' | 'findEnrollment' | 'finishEnrollment'>
  proofs: Pick<Proofs, 'checkCode' | 'redeem'>
  mails: Pick<Mails, 'isOn' | 'ask'>
  accounts: Pick<Accounts, 'requireFresh' | 'requireMailedCode' | 'needsMailedCode' | 'hasPassword'>
  identities: { canSignIn(userId: number): Promise<boolean> }
}

/** The second factors of a user, as `GET /users/me/factors` shows them. */
export interface OwnFactors {
  factors: Factor[]
  recoveryCodes: { remaining: number; createdAt: number | null }
  isRequired: boolean
  /** True when `beginTotp` and `beginPasskey` first need the code of a mail. */
  needsMailedCode: boolean
}

/**
 * What people do with their own second factors. Every change but a new name needs a fresh check of a credential, and once
 * there is a factor, of the factor. It ends all other sessions of the user, and the owner gets a mail. The four methods
 * that add a factor also refuse as `Accounts.requireMailedCode` does.
 */
export interface Enrollment extends OwnTrustedDevices {
  list(caller: SessionCaller): Promise<OwnFactors>
  /**
   * Begins to add an authenticator app, which counts for nothing until `confirmTotp`.
   * @param of.name as typed; undefined for the usual name
   * @throws KeywardError `validation_failed` for a wrong name, `too_many_factors`, `rate_limited`; those of
   *   `Accounts.requireFresh`; `invalid_token` when the session has just ended
   */
  beginTotp(caller: SessionCaller, of: FreshProof & { name?: string | null }): Promise<PendingTotp>
  /**
   * Confirms an authenticator app with its first code. The caller's session then counts as one with a second factor.
   * @throws KeywardError `factor_not_found`, also for one that waits for more than ten minutes; `invalid_code`, which
   *   counts as a wrong code of a login; `too_many_factors`; and as `beginTotp`
   */
  confirmTotp(caller: SessionCaller, of: FreshProof & { id: string; code: string }): Promise<Added>
  /**
   * Begins to add a passkey or security key. Another one that waits in the session is void.
   * @throws KeywardError `not_found` with `PASSKEYS=off`; `too_many_factors`, `rate_limited`; those of
   *   `Accounts.requireFresh`
   */
  beginPasskey(caller: SessionCaller, of: FreshProof & { kind: CredentialKind }): Promise<PendingPasskey>
  /**
   * Adds the passkey or security key that the browser has made, a RegistrationResponseJSON. The challenge is used up,
   * whatever the answer is. The caller's session then counts as one with a second factor.
   * @param of.name as typed; without one, the name of the program or device that made it
   * @throws KeywardError `webauthn_failed`; `synced_passkey` with `PASSKEYS_SYNCED=deny`; `credential_exists`, also when
   *   it belongs to another account; `validation_failed` for a wrong name; `too_many_factors`; `not_found` with
   *   `PASSKEYS=off`; those of `Accounts.requireFresh`; `invalid_token` when the session has just ended
   */
  addPasskey(
    caller: SessionCaller,
    of: FreshProof & { challengeId: string; credential: unknown; name?: string | null },
  ): Promise<Added>
  /**
   * Renames a factor. Writes nothing when it has this name.
   * @throws KeywardError `validation_failed`, `factor_not_found`, `rate_limited`
   */
  rename(caller: SessionCaller, of: { id: string; name: string; ip: string }): Promise<Factor>
  /**
   * Removes a factor, and with the last usable one the recovery codes. An account with a password needs it, too.
   * @throws KeywardError `factor_not_found`; `validation_failed` without the password; `factor_required` when a rule
   *   wants a factor and this is the last one; `last_login_method` when nothing else signs the user in; `rate_limited`;
   *   those of `Accounts.requireFresh`
   */
  remove(caller: SessionCaller, of: FreshProof & { id: string }): Promise<void>
  /**
   * Makes ten recovery codes and voids all earlier ones.
   * @throws KeywardError `no_factor`, `rate_limited`; those of `Accounts.requireFresh`
   */
  renewCodes(caller: SessionCaller, of: FreshProof): Promise<string[]>
  /**
   * Sends the code that a login must show before it adds a factor, when mail is on and the login has not shown the
   * mailbox yet.
   * @throws KeywardError `mfa_token_expired`, `rate_limited`
   */
  prepareAtLogin(
    of: EnrollmentToken & { locale: Locale | undefined; client: string; ip: string },
  ): Promise<EnrollmentStep>
  /**
   * Begins to add an authenticator app to the account of a login that waits for that. The code of the mail is needed
   * once.
   * @throws KeywardError `mfa_token_expired`, `invalid_code`, `validation_failed` for a wrong name, `too_many_factors`,
   *   `rate_limited`
   */
  beginTotpAtLogin(of: NewTotpAtLogin): Promise<PendingTotp>
  /**
   * Confirms the app, and begins the session of the login. All other sessions of the user end.
   * @throws KeywardError `mfa_token_expired`, also after five wrong codes; `invalid_code`, which counts as a wrong code
   *   of a login; `factor_not_found`, `totp_locked`, `rate_limited`
   */
  confirmTotpAtLogin(of: TotpAtLogin): Promise<AddedAtLogin>
}

export const createEnrollment = (needs: EnrollmentNeeds): Enrollment => ({
  async list(caller) {
    const { accounts, factors } = needs
    const { userId } = caller
    return {
      factors: await factors.list(userId),
      recoveryCodes: await factors.recoveryCodes(userId),
      isRequired: await isRequired(needs, userId),
      needsMailedCode: await accounts.needsMailedCode(caller),
    }
  },
  beginTotp: (caller, of) => beginTotp(needs, caller, of),
  confirmTotp: (caller, of) => confirmTotp(needs, caller, of),
  beginPasskey: (caller, of) => beginPasskey(needs, caller, of),
  addPasskey: (caller, of) => addPasskey(needs, caller, of),
  rename: (caller, of) => rename(needs, caller, of),
  remove: (caller, of) => remove(needs, caller, of),
  renewCodes: (caller, of) => renewCodes(needs, caller, of),
  ...ownTrustedDevices(needs),
  prepareAtLogin: (of) => prepareAtLogin(needs, of),
  beginTotpAtLogin: (of) => beginTotpAtLogin(needs, of),
  confirmTotpAtLogin: (of) => confirmTotpAtLogin(needs, of),
})
