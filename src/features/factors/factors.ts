import type { Clock } from '../../lib/clock.ts'
import type { Log } from '../../lib/log.ts'
import type { Random } from '../../lib/random.ts'
import type { Store } from '../../storage/store.ts'
import type { Audit } from '../audit/audit.ts'
import type { Mails } from '../mail/mail.ts'
import type { Secrets } from '../secrets/secrets.ts'
import type { Users } from '../users/users.ts'
import { type FactorChanges, factorChanges } from './changes.ts'

export { PENDING_TOTP, type PendingTotp } from './add-totp.ts'
export type { FactorChanger } from './change.ts'
export type { Factor, FactorType } from './factor.ts'
export { qrSvg } from './qr.ts'
export { useUpCodes } from './use-totp.ts'

export interface FactorSettings {
  /** The name of the service in authenticator apps (APP_NAME). */
  app: string
  /** MAX_FACTORS_PER_USER. */
  maxPerUser: number
  /** False with `PASSKEYS=off`: passkeys and security keys count as no factor then. */
  hasPasskeys: boolean
  /** The RP ID of passkeys (WebAuthn section 5.4.2). One that was made for another is no factor. */
  rpId: string
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
export interface Factors extends FactorChanges {}

export const createFactors = (needs: FactorsNeeds): Factors => ({ ...factorChanges(needs) })
