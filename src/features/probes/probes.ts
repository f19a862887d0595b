import type { Clock } from '../../lib/clock.ts'
import type { Store } from '../../storage/store.ts'
import type { SigningKeys } from '../signing-keys/signing-keys.ts'
import { createReadiness } from './readiness.ts'

export interface ProbesNeeds {
  store: Store
  clock: Clock
  signingKeys: Pick<SigningKeys, 'signing'>
  /** Names of this executable's migrations that the database lacks now. */
  pendingMigrations: () => Promise<readonly string[]>
}

/** What load balancers and orchestrators ask about this process. */
export interface Probes {
  /**
   * Checks that the process can serve requests: a row was written, the migrations are applied, a signing key is there.
   * @throws KeywardError `shutting_down` after `startDraining`; `not_ready` with what is wrong
   */
  checkReadiness(): Promise<void>
  /** Makes `checkReadiness` answer `shutting_down`. Requests are still served. */
  startDraining(): void
}

export function createProbes(needs: ProbesNeeds): Probes {
  let isDraining = false
  const checkReadiness = createReadiness(needs, () => isDraining)
  return {
    checkReadiness,
    startDraining() {
      isDraining = true
    },
  }
}
