import type { Clock } from '../../lib/clock.ts'
import type { Log } from '../../lib/log.ts'
import type { Random } from '../../lib/random.ts'
import type { Store } from '../../storage/store.ts'
import type { Audit } from '../audit/audit.ts'
import type { Limits } from '../limits/limits.ts'
import type { Mails } from '../mail/mail.ts'
import type { Secrets } from '../secrets/secrets.ts'
import type { Users } from '../users/users.ts'
import { type FactorChanges, factorChanges } from './changes.ts'
import { type FactorGate, factorGate } from './gate.ts'
import { type Passkeys, passkeys } from './passkeys.ts'
import { type FactorPolicy, factorPolicy } from './policy.ts'
import { type FactorResets, factorResets } from './reset.ts'
import { type TrustedDevices, trustedDevices } from './trusted.ts'

export type { CheckedPasskey, PendingPasskey } from './add-passkey.ts'
export { PENDING_TOTP, type PendingTotp } from './add-totp.ts'
export type { ChallengePurpose, NewChallenge, StoredChallenge } from './challenges.ts'
export { CHALLENGE_LIFETIME } from './challenges.ts'
export type { FactorChanger } from './change.ts'
export { type Factor, type FactorType, signsIn } from './factor.ts'
export type { Guess } from './guesses.ts'
export {
  createFactorImport,
  type FactorImport,
  type ImportedFactors,
  type ImportedPasskey,
  type ImportedTotp,
  readCredentialKey,
  readTotpSecret,
  type Sealer,
} from './imported.ts'
export { inspectTotp, type TotpSeals } from './inspect.ts'
export { factorsBetween, type ListedFactor } from './listed.store.ts'
export { type Demand, type FactorReport, factorMissing, inspectFactors } from './policy.ts'
export { qrSvg } from './qr.ts'
export type { ResetFactors } from './reset.ts'
export { forgetAllTrusted, type NewTrustedDevice, type TrustedDevice } from './trusted.ts'
export { useUpCodes } from './use-totp.ts'
export type { CreationOptionsJson, CredentialKind, RequestOptionsJson } from './webauthn/options.ts'

/** A way to show a second factor. `webauthn` is a passkey or a security key. */
export type FactorMethod = 'webauthn' | 'totp' | 'recovery_code'

/** What a person shows: a code of an authenticator app, a recovery code, or an AuthenticationResponseJSON. */
export type FactorAnswer = { otp: string } | { recoveryCode: string } | { webauthn: unknown }

/** A second factor that was shown. */
export interface FactorProof {
  method: FactorMethod
  /** `t` or `p` and a number; undefined for a recovery code. */
  factorId?: string
  /** The authentication methods that it proves, such as `otp` (RFC 8176). `user` means that both factors were shown. */
  amr: readonly string[]
}

/** The second factors of a user. */
export interface FactorState {
  /** True when the user has a second factor, also one that is locked. Recovery codes alone are no factor. */
  has: boolean
  /** The methods that work now; empty without a factor, and when the only one is locked. */
  methods: readonly FactorMethod[]
}

export interface FactorSettings {
  /** The name of the service in authenticator apps (APP_NAME). */
  app: string
  /** MAX_FACTORS_PER_USER. */
  maxPerUser: number
  /** False with `PASSKEYS=off`: passkeys and security keys count as no factor then. */
  hasPasskeys: boolean
  /** The RP ID of passkeys (WebAuthn section 5.4.2). One that was made for another is no factor. */
  rpId: string
  /** Who needs a second factor (REQUIRE_SECOND_FACTOR). Roles can require one beside it. */
  required: 'none' | 'admins' | 'all'
  /** How long a user who lacks a required factor may go on, in milliseconds (SECOND_FACTOR_GRACE_DAYS). */
  grace: number
  /** The origins that may use passkeys, compared exactly. */
  origins: readonly string[]
  /** False with `PASSKEYS_SYNCED=deny`. */
  allowsSynced: boolean
  /** How many days a device can be trusted; 0 for not at all (TRUSTED_DEVICE_DAYS). */
  trustedDays: number
}

export interface FactorsNeeds {
  store: Store
  clock: Clock
  random: Random
  log: Log
  audit: Audit
  limits: Limits
  users: Pick<Users, 'hold'>
  mails: Pick<Mails, 'notify'>
  secrets: Secrets
  settings: FactorSettings
}

/** Second factors: authenticator apps, passkeys, security keys and recovery codes. */
export interface Factors extends FactorGate, FactorChanges, FactorPolicy, FactorResets, Passkeys, TrustedDevices {}

export const createFactors = (needs: FactorsNeeds): Factors => ({
  ...factorGate(needs),
  ...factorChanges(needs),
  ...factorPolicy(needs),
  ...factorResets(needs),
  ...passkeys(needs),
  ...trustedDevices(needs),
})
