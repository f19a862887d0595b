import type { EpochMs } from '../../lib/clock.ts'
import { execute, named, statements } from '../../storage/statements.ts'
import type { Db } from '../../storage/store.ts'

const prepared = statements(({ q, t: { writeProbes } }, { change }) => ({
  write: change(
    q
      .insert(writeProbes)
      .values({ name: 'readyz', writtenAt: named('now'), padding: named('padding') })
      .onConflictDoUpdate({
        target: writeProbes.name,
        set: { writtenAt: named('now'), padding: named('padding') },
      }),
  ),
}))

/** The least that a probe writes, in bytes: 32 pages of SQLite. A registration changes about 20 pages. */
const SIZE = 128 * 1024

/**
 * Writes as much as a registration, because a smaller write can still fit on a disk that is full for registrations.
 * @throws KeywardError when the database takes no writes
 */
export function writeProbe(db: Db, now: EpochMs): Promise<unknown> {
  // SQLite does not write a page that is unchanged. The time in every page changes every page.
  const time = `${now} `
  return execute(db, prepared(db).write, { now, padding: time.repeat(Math.ceil(SIZE / time.length)) })
}
