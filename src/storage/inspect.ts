import { Database } from 'bun:sqlite'
import type { EpochMs } from '../lib/clock.ts'
import type { DatabaseTarget } from '../lib/database-url.ts'
import type { Driver } from './store.ts'

/* Checks for `keyward doctor`. None of them changes anything that is stored. */

/** The most faults that `findFaults` reports. */
const MOST_FAULTS = 5

/**
 * Checks the structure of an SQLite file with `PRAGMA quick_check`, which reads the whole file. PostgreSQL checks its
 * pages itself.
 * @returns SQLite's messages about faults, at most `MOST_FAULTS`; empty for a sound file and for PostgreSQL
 */
export async function findFaults(driver: Driver, { dialect }: DatabaseTarget): Promise<string[]> {
  if (dialect !== 'sqlite') return []
  const { rows } = await driver.execute(`SELECT quick_check FROM pragma_quick_check LIMIT ${MOST_FAULTS}`, [])
  const messages = rows.map(([message]) => String(message))
  return messages.length === 1 && messages[0] === 'ok' ? [] : messages
}

/** Rolls a transaction back; no error for a person. */
class RollBack extends Error {}

/**
 * Writes a row and rolls it back, so that nothing changes.
 * @param isCurrent true when the tables of Keyward exist; otherwise a table is made and rolled back
 * @throws the error of the driver when the database takes no write
 */
export async function tryWrite(driver: Driver, target: DatabaseTarget, isCurrent: boolean): Promise<void> {
  const sql = isCurrent
    ? "INSERT INTO write_probes (name, written_at, padding) VALUES ('doctor', 0, '')"
    : 'CREATE TABLE keyward_doctor (name text)'
  if (target.dialect === 'sqlite') return tryWriteToFile(target.path, sql)
  const work = async () => {
    await driver.execute(sql, [])
    throw new RollBack()
  }
  await driver.transaction(work).catch((error) => {
    if (!(error instanceof RollBack)) throw error
  })
}

/**
 * Uses a connection of its own: the driver of SQLite also commits a count of writes in the batch of a transaction that
 * is rolled back.
 */
function tryWriteToFile(path: string, sql: string): void {
  const db = new Database(path, { create: false, readwrite: true, strict: true })
  try {
    db.run('PRAGMA busy_timeout = 3000')
    db.run('BEGIN IMMEDIATE')
    db.run(sql)
  } finally {
    if (db.inTransaction) db.run('ROLLBACK')
    db.close()
  }
}

/** Reads the clock of the PostgreSQL server; undefined for SQLite, which has no other clock than this machine's. */
export async function databaseTime(driver: Driver, { dialect }: DatabaseTarget): Promise<EpochMs | undefined> {
  if (dialect === 'sqlite') return undefined
  const { rows } = await driver.execute('SELECT (extract(epoch FROM clock_timestamp()) * 1000)::float8', [])
  return Number(rows[0]?.[0])
}
