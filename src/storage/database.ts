import { drizzle } from 'drizzle-orm/sqlite-proxy'
import type { Config } from '../config/schema.ts'
import { type Clock, systemClock } from '../lib/clock.ts'
import type { DatabaseTarget } from '../lib/database-url.ts'
import type { Log } from '../lib/log.ts'
import type { PostgresAddress } from '../lib/postgres-url.ts'
import { systemRandom } from '../lib/random.ts'
import { sqliteColumns } from './columns.ts'
import { embeddedMigrations, migrate, requireCurrent } from './migrate.ts'
import type { PostgresOptions } from './postgres.ts'
import { watchSpace } from './space.ts'
import { openSqlite, type SqliteOptions } from './sqlite.ts'
import type { Db, Driver, Store } from './store.ts'
import { allTables } from './tables/all.ts'

export type DatabaseSettings = Pick<
  Config,
  'DATABASE_URL' | 'SQLITE_SYNCHRONOUS' | 'SQLITE_CACHE_MB' | 'POSTGRES_POOL_SIZE'
>

/**
 * What `openDatabase` does when the schema is not current:
 * - `upgrade` migrates the database, and creates a missing SQLite file.
 * - `require` refuses the database, and creates nothing.
 * - `ignore` opens the database for inspection, and changes nothing on disk.
 */
export type SchemaPolicy = 'upgrade' | 'require' | 'ignore'

interface DatabaseOptions extends Pick<StorageOptions, 'waitInside'> {
  /** Gives the times that are recorded for applied migrations, and measures `Store.sinceFull`. */
  clock: Clock
  log?: Log
  schema?: SchemaPolicy
}

interface OpenDatabase {
  store: Store
  driver: Driver
  /** The migrations that this call applied, and the path of the copy of the SQLite file from before the upgrade. */
  upgrade: { applied: readonly string[]; copy: string | undefined }
}

/**
 * Opens the database of a configuration, and upgrades or checks its schema.
 * @throws MigrationError when the database does not fit this executable; with `require` also when migrations are
 * pending or the SQLite file does not exist
 * @throws the errors of `openFile` or `inspectServer`; KeywardError when the database becomes busy or unavailable
 */
export async function openDatabase(
  settings: DatabaseSettings,
  { clock, log, waitInside, schema = 'upgrade' }: DatabaseOptions,
): Promise<OpenDatabase> {
  const { store, driver } = await openStorage({
    target: settings.DATABASE_URL,
    synchronous: settings.SQLITE_SYNCHRONOUS,
    cacheMb: settings.SQLITE_CACHE_MB,
    poolSize: settings.POSTGRES_POOL_SIZE,
    // Waiting for another process takes real time. Tests move the other `clock` by hand.
    clock: systemClock,
    serviceClock: clock,
    random: systemRandom,
    log,
    waitInside,
    inspect: schema === 'ignore',
    mustExist: schema === 'require',
  })
  try {
    await driver.checkServer()
    const migrations = embeddedMigrations(store.dialect)
    if (schema === 'require') await requireCurrent(driver, migrations)
    if (schema !== 'upgrade') return { store, driver, upgrade: { applied: [], copy: undefined } }
    const upgrade = await migrate(driver, migrations, clock)
    const { applied, copy } = upgrade
    // Someone may copy the file without its write-ahead log. Without a checkpoint now, a new file would stay without
    // tables until the job `checkpoint` runs. After a failure, that job tries again.
    if (applied.length > 0) await store.checkpoint().catch(() => {})
    if (applied.length > 0) log?.info('database_migrated', { applied: applied.join(' '), copy })
    return { store, driver, upgrade }
  } catch (error) {
    await store.close()
    throw error
  }
}

type StorageOptions = Omit<SqliteOptions, 'path'> &
  Omit<PostgresOptions, keyof PostgresAddress> & {
    /** Measures `Store.sinceFull`; `clock` by default. */
    serviceClock?: Clock
  }

/** Opens a database and does not migrate it. The driver is for this file and `migrate.ts`; others use the store. */
export async function openStorage({
  target,
  serviceClock,
  ...options
}: StorageOptions & { target: DatabaseTarget }): Promise<{ store: Store; driver: Driver }> {
  const { dialect } = target
  const { driver, q, columns } =
    dialect === 'sqlite' ? sqlite({ ...options, path: target.path }) : await postgresql({ ...options, ...target })
  const reserve: Store['reserveIds'] = (table, through) => reserveIds(driver, dialect, { table, through })
  const { tryRead, afterCommit, stats, close } = driver
  const { execute, transaction, sinceFull } = watchSpace(driver, serviceClock ?? options.clock)
  const checkpoint = async () => driver.checkpoint?.()
  const shared = { execute, tryRead, transaction, afterCommit, stats, sinceFull, checkpoint, close }
  return { driver, store: { ...shared, dialect, q, t: allTables(columns), reserveIds: reserve } }
}

function sqlite(options: SqliteOptions) {
  const driver = openSqlite(options)
  return { driver, q: drizzle((sql, params) => driver.execute(sql, params)), columns: sqliteColumns }
}

/** Loads the PostgreSQL modules on demand. This avoids evaluating them at a start on SQLite. */
async function postgresql(options: PostgresOptions) {
  const [{ openPostgres }, { postgresqlColumns }, builder] = await Promise.all([
    import('./postgres.ts'),
    import('./columns.postgresql.ts'),
    import('drizzle-orm/pg-proxy'),
  ])
  const driver = openPostgres(options)
  return {
    driver,
    q: builder.drizzle((sql, params) => driver.execute(sql, params)) as unknown as Db['q'],
    columns: postgresqlColumns,
  }
}

/** Implements `Store.reserveIds`. */
async function reserveIds(
  driver: Driver,
  dialect: Store['dialect'],
  { table, through }: { table: string; through: number },
): Promise<void> {
  // SQLite needs no action: its AUTOINCREMENT continues after the highest id, and only one writer runs at a time.
  if (dialect === 'sqlite') return
  await driver.transaction(async () => {
    // The lock blocks inserts. Thus no id is assigned between reading the sequence and setting the sequence.
    await driver.execute(`LOCK TABLE ${table} IN SHARE ROW EXCLUSIVE MODE`, [])
    await driver.execute(
      `SELECT setval(ids, $1::bigint) FROM (SELECT pg_get_serial_sequence($2, 'id')::regclass AS ids) AS sequence
      WHERE coalesce(pg_sequence_last_value(ids), 0) < $1::bigint`,
      [through, table],
    )
  })
}
