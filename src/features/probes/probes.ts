import { KeywardError } from '../../errors.ts'
import type { Clock } from '../../lib/clock.ts'
import type { Store } from '../../storage/store.ts'
import type { Mails } from '../mail/mail.ts'
import type { SigningKeys } from '../signing-keys/signing-keys.ts'
import { findProblems, type Problem } from './readiness.ts'

export interface ProbesNeeds {
  store: Store
  clock: Clock
  signingKeys: Pick<SigningKeys, 'signing'>
  mails: Pick<Mails, 'isOn' | 'stats'>
  /** Names of this executable's migrations that the database lacks now. */
  pendingMigrations: () => Promise<readonly string[]>
}

/** `off`: no mail server is configured. `failing`: the mail server took no mail at the last attempt. */
export type MailHealth = 'working' | 'failing' | 'off'

/** The checks for load balancers and orchestrators. */
export interface Probes {
  /**
   * Checks that the process can serve requests: the database accepts a write and has lately refused none for lack of
   * space, all migrations are applied, and there is a signing key. A check begins at most once a second, and the calls
   * until the next check share its result.
   * @throws KeywardError `shutting_down` after `startDraining`
   * @throws KeywardError `not_ready` with all problems; also when the database does not answer within 5 seconds
   */
  checkReadiness(): Promise<void>
  /** Whether mail works. Trouble with mail does not make a process unready: all other requests are served. */
  mail(): MailHealth
  /** Makes `checkReadiness` answer `shutting_down`. Requests are still served. */
  startDraining(): void
}

/** How long after its start the result of a check is shared, in milliseconds. */
const SHARED = 1_000

/** How long a probe waits for the database, in milliseconds. */
const PATIENCE = 5_000

export function createProbes(needs: ProbesNeeds): Probes {
  let isDraining = false
  let check: { startedAt: number; problems: Promise<Problem[]>; running: boolean } | undefined

  function findSharedProblems(): Promise<Problem[]> {
    const now = needs.clock.monotonic()
    if (check && (check.running || now < check.startedAt + SHARED)) return check.problems
    const started = { startedAt: now, problems: findProblems(needs), running: true }
    check = started
    return started.problems.finally(() => {
      started.running = false
    })
  }

  return {
    async checkReadiness() {
      if (isDraining) throw new KeywardError('shutting_down', { retryAfter: 5 })
      const timeout = needs.clock.sleep(PATIENCE).then(() => [{ sentence: 'the database does not answer' }])
      const problems: Problem[] = await Promise.race([findSharedProblems(), timeout])
      if (problems.length === 0) return
      const sentence = `Not ready: ${problems.map((problem) => problem.sentence).join('; ')}`
      throw new KeywardError('not_ready', { sentence, retryAfter: 5, cause: problems[0]?.cause })
    },
    mail: () => (!needs.mails.isOn ? 'off' : needs.mails.stats().isFailing ? 'failing' : 'working'),
    startDraining() {
      isDraining = true
    },
  }
}
