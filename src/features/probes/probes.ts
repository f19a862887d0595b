import { KeywardError } from '../../errors.ts'
import type { Clock } from '../../lib/clock.ts'
import type { Store } from '../../storage/store.ts'
import type { SigningKeys } from '../signing-keys/signing-keys.ts'
import { findProblems, type Problem } from './readiness.ts'

export interface ProbesNeeds {
  store: Store
  clock: Clock
  signingKeys: Pick<SigningKeys, 'signing'>
  /** Names of this executable's migrations that the database lacks now. */
  pendingMigrations: () => Promise<readonly string[]>
}

/** The checks for load balancers and orchestrators. */
export interface Probes {
  /**
   * Checks that the process can serve requests: the database accepts a write, all migrations are applied, and there is
   * a signing key. Concurrent probes share one check, so the database gets one write at a time.
   * @throws KeywardError `shutting_down` after `startDraining`
   * @throws KeywardError `not_ready` with all problems; also when the database does not answer within 5 seconds
   */
  checkReadiness(): Promise<void>
  /** Makes `checkReadiness` answer `shutting_down`. Requests are still served. */
  startDraining(): void
}

/** How long a probe waits for the database, in milliseconds. */
const PATIENCE = 5_000

export function createProbes(needs: ProbesNeeds): Probes {
  let isDraining = false
  let running: Promise<Problem[]> | undefined
  return {
    async checkReadiness() {
      if (isDraining) throw new KeywardError('shutting_down', { retryAfter: 5 })
      running ??= findProblems(needs).finally(() => {
        running = undefined
      })
      const timeout = needs.clock.sleep(PATIENCE).then(() => [{ sentence: 'the database does not answer' }])
      const problems: Problem[] = await Promise.race([running, timeout])
      if (problems.length === 0) return
      const sentence = `Not ready: ${problems.map((problem) => problem.sentence).join('; ')}`
      throw new KeywardError('not_ready', { sentence, retryAfter: 5, cause: problems[0]?.cause })
    },
    startDraining() {
      isDraining = true
    },
  }
}
