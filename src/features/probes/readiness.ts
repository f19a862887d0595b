import { KeywardError } from '../../errors.ts'
import type { Deps } from '../../service.ts'
import * as store from './store.ts'

/** How long a probe waits for the database, in milliseconds, before it says that it does not answer. */
const PATIENCE = 5_000

type ReadinessDeps = Pick<Deps, 'store' | 'clock' | 'keyring' | 'lifecycle' | 'pendingMigrations'>

interface Check {
  /** Said when it does not hold. */
  sentence: string
  /** Said when nobody can tell. */
  unknown: string
  holds: (deps: ReadinessDeps) => Promise<boolean>
}

/** What must hold for a process to be sent requests. */
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
    holds: async ({ keyring }) => keyring.signing() !== undefined,
  },
]

/**
 * Makes the check behind `/readyz`: a row is really written, since only that tells a full disk, a read-only file or
 * a lost leader. Probes that come while one runs share its outcome, so asking often costs one write at a time, and
 * a database that hangs is waited for 5 seconds by each probe but by one statement in all.
 * @returns a function that throws KeywardError `shutting_down` while the process drains, `not_ready` with what is wrong
 */
export function createReadiness(deps: ReadinessDeps): () => Promise<void> {
  let running: Promise<Finding[]> | undefined
  return async function checkReadiness() {
    if (deps.lifecycle.draining) throw new KeywardError('shutting_down', { retryAfter: 5 })
    running ??= inspect(deps).finally(() => {
      running = undefined
    })
    const findings = await Promise.race([running, deps.clock.sleep(PATIENCE).then(() => [unanswered])])
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

async function inspect(deps: ReadinessDeps): Promise<Finding[]> {
  const findings: Finding[] = []
  for (const { sentence, unknown, holds } of checks) {
    try {
      if (!(await holds(deps))) findings.push({ sentence })
    } catch (cause) {
      findings.push({ sentence: unknown, cause })
    }
  }
  return findings
}
