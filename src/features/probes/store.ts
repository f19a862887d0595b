import type { EpochMs } from '../../lib/clock.ts'
import { execute, named, statements } from '../../storage/statements.ts'
import type { Store } from '../../storage/store.ts'

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

/**
 * The least size of the text that `writeProbe` writes, in bytes. SQLite writes whole pages of 4 KiB: a registration
 * changes about 20 pages, and the text fills 32. On PostgreSQL a registration writes about 2 KB. A text of more than
 * about 2 KB would be compressed to much less.
 */
const SIZE = { sqlite: 32 * 4096, postgresql: 1_900 }

/**
 * Writes as much as a registration, because a smaller write can succeed on a disk that is too full for registrations.
 * @throws KeywardError `database_busy` or `database_unavailable` when the database accepts no write
 */
export function writeProbe(store: Store, now: EpochMs): Promise<unknown> {
  // SQLite does not write a page that is unchanged. The repeated time makes every page differ from the last probe.
  const time = `${now} `
  const padding = time.repeat(Math.ceil(SIZE[store.dialect] / time.length))
  return execute(store, prepared(store).write, { now, padding })
}
