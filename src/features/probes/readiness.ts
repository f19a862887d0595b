import type { ProbesNeeds } from './probes.ts'
import * as store from './store.ts'

/** A reason why a process must not get requests. */
export interface Problem {
  sentence: string
  /** For the log. */
  cause?: unknown
}

export async function findProblems({ store: db, clock, signingKeys, pendingMigrations }: ProbesNeeds) {
  const problems: Problem[] = []
  try {
    // A write detects a full disk, a read-only file and a database server that is no longer the primary.
    await store.writeProbe(db, clock.now())
  } catch (cause) {
    problems.push({ sentence: 'the database does not take writes', cause })
  }
  try {
    if ((await pendingMigrations()).length > 0)
      problems.push({ sentence: 'the database lacks migrations of this version' })
  } catch (cause) {
    problems.push({ sentence: 'the database cannot be read', cause })
  }
  try {
    signingKeys.signing()
  } catch (cause) {
    problems.push({ sentence: 'there is no signing key', cause })
  }
  return problems
}
