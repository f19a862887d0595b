import { KeywardError } from '../../errors.ts'
import type { ProbesNeeds } from './probes.ts'
import * as store from './store.ts'

/** How long a probe waits for the database, in milliseconds, before it says that it does not answer. */
const PATIENCE = 5_000

interface Check {
  /** The sentence when it does not hold. */
  sentence: string
  /** The sentence when the check itself fails. */
  unknown: string
  holds: (needs: ProbesNeeds) => Promise<boolean>
}

/** The conditions under which a process may be sent requests. */
const checks: readonly Check[] = [
  {
    sentence: 'the database does not take writes',
    unknown: 'the database does not take writes',
    holds: async ({ store: db, clock }) => {
      await store.writeProbe(db, clock.now())
      return true
    },
  },
  {
    sentence: 'the database lacks migrations of this version',
    unknown: 'the database cannot be read',
    holds: async ({ pendingMigrations }) => (await pendingMigrations()).length === 0,
  },
  {
    sentence: 'there is no key to sign tokens with',
    unknown: 'there is no key to sign tokens with',
    holds: async ({ signingKeys }) => signingKeys.signing() !== undefined,
  },
]

/**
 * Makes the check of `/readyz`. A row is really written: only that finds a full disk, a read-only file or a lost leader.
 * Probes during a running check share its result, so the database gets one write at a time. Each probe waits at most 5
 * seconds for a database that hangs.
 * @returns a function that throws KeywardError `shutting_down` while the process drains, `not_ready` with what is wrong
 */
export function createReadiness(needs: ProbesNeeds, isDraining: () => boolean): () => Promise<void> {
  let running: Promise<Finding[]> | undefined
  return async function checkReadiness() {
    if (isDraining()) throw new KeywardError('shutting_down', { retryAfter: 5 })
    running ??= inspect(needs).finally(() => {
      running = undefined
    })
    const findings = await Promise.race([running, needs.clock.sleep(PATIENCE).then(() => [unanswered])])
    if (findings.length === 0) return
    const said = findings.map(({ sentence }) => sentence).join('; ')
    throw new KeywardError('not_ready', { sentence: `Not ready: ${said}`, retryAfter: 5, cause: findings[0]?.cause })
  }
}

interface Finding {
  sentence: string
  /** For the log. */
  cause?: unknown
}

const unanswered: Finding = { sentence: 'the database does not answer' }

async function inspect(needs: ProbesNeeds): Promise<Finding[]> {
  const findings: Finding[] = []
  for (const { sentence, unknown, holds } of checks) {
    try {
      if (!(await holds(needs))) findings.push({ sentence })
    } catch (cause) {
      findings.push({ sentence: unknown, cause })
    }
  }
  return findings
}
