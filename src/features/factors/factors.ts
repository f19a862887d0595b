import type { Clock } from '../../lib/clock.ts'
import type { Log } from '../../lib/log.ts'
import type { Random } from '../../lib/random.ts'
import type { Store } from '../../storage/store.ts'
import type { Audit } from '../audit/audit.ts'
import type { Mails } from '../mail/mail.ts'
import type { Secrets } from '../secrets/secrets.ts'
import type { Users } from '../users/users.ts'
import { type FactorChanges, factorChanges } from './changes.ts'
import { type FactorPolicy, factorPolicy } from './policy.ts'
import { type FactorResets, factorResets } from './reset.ts'

export type { PendingTotp } from './add-totp.ts'
export type { FactorChanger } from './change.ts'
export type { Factor, FactorType } from './factor.ts'
export { type Demand, type FactorReport, inspectFactors } from './policy.ts'
export { qrSvg } from './qr.ts'
export type { ResetFactors } from './reset.ts'

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
}

export interface FactorsNeeds {
  store: Store
  clock: Clock
  random: Random
  log: Log
  audit: Audit
  users: Pick<Users, 'hold'>
  mails: Pick<Mails, 'notify'>
  secrets: Secrets
  settings: FactorSettings
}

/** Second factors: authenticator apps, passkeys, security keys and recovery codes. */
export interface Factors extends FactorChanges, FactorPolicy, FactorResets {}

export const createFactors = (needs: FactorsNeeds): Factors => ({
  ...factorChanges(needs),
  ...factorPolicy(needs),
  ...factorResets(needs),
})
