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
  /** Returns the names of this executable's migrations that are not applied to the database. */
  pendingMigrations: () => Promise<readonly string[]>
}

/**
 * `off`: no mail server is configured. `failing`: the last attempt of this process to send a mail failed because of the
 * mail server, not because of the mail or its recipient. `working`: any other state, also before the first mail.
 */
export type MailHealth = 'working' | 'failing' | 'off'

/** The checks for load balancers and orchestrators. */
export interface Probes {
  /**
   * Checks that the process can serve requests: the database accepts a write, no write of the last 5 seconds failed for
   * lack of disk space, all migrations are applied, and there is a signing key. A check begins at most once a second.
   * All calls until the next check get the result of the last check.
   * @throws KeywardError `shutting_down` after `startDraining`
   * @throws KeywardError `not_ready`, which names all problems; also when the check takes longer than 5 seconds
   */
  checkReadiness(): Promise<void>
  /** Returns the state of mail. `checkReadiness` ignores this state, because requests are served without mail, too. */
  mail(): MailHealth
  /** Makes `checkReadiness` answer `shutting_down`. Requests are still served. */
  startDraining(): void
}

/** The paths that monitoring requests every few seconds. Their successful requests are logged at level `debug` only. */
export const probePatterns: ReadonlySet<string> = new Set(['/livez', '/readyz', '/metrics'])

/** The answer of `/livez`. */
export const ALIVE = { status: 'alive' } as const

/** The shortest time between the starts of two checks, in milliseconds. */
const SHARED = 1_000

/** How long a call of `checkReadiness` waits for the check, in milliseconds. */
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
