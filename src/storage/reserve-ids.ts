import type { Driver } from './store.ts'

/** See `Store.reserveIds`. */
export async function reserveIds(
  driver: Pick<Driver, 'execute' | 'transaction'>,
  dialect: 'sqlite' | 'postgresql',
  { table, through }: { table: string; through: number },
): Promise<void> {
  // SQLite's AUTOINCREMENT continues after the highest id, and there is one writer at a time.
  if (dialect === 'sqlite') return
  await driver.transaction(async () => {
    // The lock excludes inserts, so no id is assigned between reading the sequence and setting it.
    await driver.execute(`LOCK TABLE ${table} IN SHARE ROW EXCLUSIVE MODE`, [])
    await driver.execute(
      `SELECT setval(ids, $1::bigint) FROM (SELECT pg_get_serial_sequence($2, 'id')::regclass AS ids) AS sequence
      WHERE coalesce(pg_sequence_last_value(ids), 0) < $1::bigint`,
      [through, table],
    )
  })
}
