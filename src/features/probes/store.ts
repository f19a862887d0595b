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
 * The least that a probe writes, in bytes. SQLite writes whole pages of 4 KiB: a registration changes about 20 of them,
 * and the probe 32. PostgreSQL writes rows, about 2 KB for a registration, and compresses a longer text.
 */
const SIZE = { sqlite: 32 * 4096, postgresql: 1_900 }

/**
 * Writes as much as a registration, because a smaller write can still fit on a disk that is full for registrations.
 * @throws KeywardError when the database takes no writes
 */
export function writeProbe(store: Store, now: EpochMs): Promise<unknown> {
  // SQLite does not write a page that is unchanged. The time in every page changes every page.
  const time = `${now} `
  const padding = time.repeat(Math.ceil(SIZE[store.dialect] / time.length))
  return execute(store, prepared(store).write, { now, padding })
}
