import { sql } from 'drizzle-orm'
import type { EpochMs } from '../../lib/clock.ts'
import { type Db, statements } from '../../storage/store.ts'

const prepared = statements(({ q, t: { writeProbes } }) => {
  const writtenAt = sql.placeholder('now')
  return {
    write: q
      .insert(writeProbes)
      .values({ name: 'readyz', writtenAt })
      .onConflictDoUpdate({ target: writeProbes.name, set: { writtenAt: writtenAt as never } })
      .prepare(),
  }
})

/** Writes a row for nothing but to see that the database takes it. */
export const writeProbe = (db: Db, now: EpochMs) => prepared(db).write.execute({ now })
