import type { EpochMs } from '../../lib/clock.ts'
import { execute, named, statements } from '../../storage/statements.ts'
import type { Db } from '../../storage/store.ts'

const prepared = statements(({ q, t: { writeProbes } }, { change }) => ({
  write: change(
    q
      .insert(writeProbes)
      .values({ name: 'readyz', writtenAt: named('now') })
      .onConflictDoUpdate({ target: writeProbes.name, set: { writtenAt: named('now') } }),
  ),
}))

/** @throws KeywardError when the database takes no writes */
export const writeProbe = (db: Db, now: EpochMs): Promise<unknown> => execute(db, prepared(db).write, { now })
