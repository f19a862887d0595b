import { FILE_GONE, isFileGone } from '../../storage/file-identity.ts'
import type { ProbesNeeds } from './probes.ts'
import * as store from './store.ts'

/** A reason why a process must not get requests. */
export interface Problem {
  sentence: string
  /** The error behind the problem, for the log. */
  cause?: unknown
}

/** How long the process is not ready after a write failed for lack of disk space, in milliseconds. */
const FULL_COUNTS = 5_000

export async function findProblems({ store: db, clock, signingKeys, pendingMigrations }: ProbesNeeds) {
  const problems: Problem[] = []
  try {
    // A write detects a full disk, a read-only file and a database server that is no longer the primary.
    await store.writeProbe(db, clock.now())
    if (db.sinceFull() < FULL_COUNTS) problems.push({ sentence: 'the database has no space for writes' })
  } catch (cause) {
    const sentence = isFileGone(cause) ? FILE_GONE : 'the database does not take writes'
    problems.push({ sentence, cause })
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
