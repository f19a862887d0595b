import type { Driver } from './store.ts'

/** What `Store.reserveIds` does. */
export async function reserveIds(
  driver: Pick<Driver, 'execute' | 'transaction'>,
  dialect: 'sqlite' | 'postgresql',
  { table, through }: { table: string; through: number },
): Promise<void> {
  // SQLite's AUTOINCREMENT looks at the rows, and one writer at a time cannot be overtaken.
  if (dialect === 'sqlite') return
  await driver.transaction(async () => {
    // An insert holds a lock that this one excludes, so no id is given out between the look at the sequence and its leap.
    await driver.execute(`LOCK TABLE ${table} IN SHARE ROW EXCLUSIVE MODE`, [])
    await driver.execute(
      `SELECT setval(ids, $1::bigint) FROM (SELECT pg_get_serial_sequence($2, 'id')::regclass AS ids) AS sequence
      WHERE coalesce(pg_sequence_last_value(ids), 0) < $1::bigint`,
      [through, table],
    )
  })
}
