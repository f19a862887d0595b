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
 * How `openDatabase` treats a database whose schema is not current:
 * - `upgrade` migrates the database, and creates a missing SQLite file.
 * - `require` throws a MigrationError, and creates no file.
 * - `ignore` opens the database as it is, for inspection, and changes nothing on disk.
 */
export type SchemaPolicy = 'upgrade' | 'require' | 'ignore'

interface DatabaseOptions extends Pick<StorageOptions, 'waitInside' | 'bulk'> {
  /** The clock of the service: for the times of applied migrations, and for `Store.sinceFull`. */
  clock: Clock
  log?: Log
  schema?: SchemaPolicy
}

interface OpenDatabase {
  store: Store
  driver: Driver
  /** The migrations that this call applied, and the path of the copy of the old SQLite file, if a copy was made. */
  upgrade: { applied: readonly string[]; copy: string | undefined }
}

/**
 * Opens the database of a configuration, and upgrades or checks its schema.
 * @throws with `upgrade` and `require`: MigrationError as `migrationStates`
 * @throws with `require`: MigrationError when migrations are pending or the SQLite file does not exist
 * @throws the errors of `openFile`, `inspectServer` and `migrate`; KeywardError `database_busy`, `database_unavailable`
 */
export async function openDatabase(
  settings: DatabaseSettings,
  { clock, log, waitInside, bulk, schema = 'upgrade' }: DatabaseOptions,
): Promise<OpenDatabase> {
  const { store, driver } = await openStorage({
    target: settings.DATABASE_URL,
    synchronous: settings.SQLITE_SYNCHRONOUS,
    cacheMb: settings.SQLITE_CACHE_MB,
    poolSize: settings.POSTGRES_POOL_SIZE,
    // The driver waits for other processes in real time. The parameter `clock` can be a clock that only a test moves.
    clock: systemClock,
    serviceClock: clock,
    random: systemRandom,
    log,
    waitInside,
    bulk,
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
    // Until the first checkpoint, the new tables are only in the write-ahead log. An operator who copied only the
    // database file would lose them. If this checkpoint fails, the job `checkpoint` makes one within a minute.
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

/**
 * Opens a database without a check of its schema. The driver is only for this file and the functions of `migrate.ts`.
 * @throws for SQLite the errors of `openFile`; PostgreSQL is contacted only by the first statement
 */
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
  const tables = { dialect, q, t: allTables(columns) }
  const snapshot: Store['snapshot'] = (work) =>
    driver.snapshot((run) =>
      work({
        ...tables,
        execute: async (sql, params) => ({ rows: await run(sql, params), changes: 0 }),
        tryRead: () => undefined,
      }),
    )
  return { driver, store: { ...shared, ...tables, reserveIds: reserve, snapshot } }
}

function sqlite(options: SqliteOptions) {
  const driver = openSqlite(options)
  return { driver, q: drizzle(async (sql, params) => driver.execute(sql, params)), columns: sqliteColumns }
}

/** Opens PostgreSQL. The imports are dynamic, so that a start on SQLite does not spend time on these modules. */
async function postgresql(options: PostgresOptions) {
  const [{ openPostgres }, { postgresqlColumns }, builder] = await Promise.all([
    import('./postgres.ts'),
    import('./columns.postgresql.ts'),
    import('drizzle-orm/pg-proxy'),
  ])
  const driver = openPostgres(options)
  return {
    driver,
    q: builder.drizzle(async (sql, params) => driver.execute(sql, params)) as unknown as Db['q'],
    columns: postgresqlColumns,
  }
}

/** Implements `Store.reserveIds`. */
async function reserveIds(
  driver: Driver,
  dialect: Store['dialect'],
  { table, through }: { table: string; through: number },
): Promise<void> {
  const inSqlite = async () => {
    await driver.execute(
      'INSERT INTO sqlite_sequence (name, seq) SELECT ?1, 0 WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = ?1)',
      [table],
    )
    await driver.execute('UPDATE sqlite_sequence SET seq = ?2 WHERE name = ?1 AND seq < ?2', [table, through])
  }
  const inPostgres = async () => {
    // The lock blocks inserts. Thus PostgreSQL assigns no id between the read of the sequence and `setval`.
    await driver.execute(`LOCK TABLE ${table} IN SHARE ROW EXCLUSIVE MODE`, [])
    await driver.execute(
      `SELECT setval(ids, $1::bigint) FROM (SELECT pg_get_serial_sequence($2, 'id')::regclass AS ids) AS sequence
      WHERE coalesce(pg_sequence_last_value(ids), 0) < $1::bigint`,
      [through, table],
    )
  }
  await driver.transaction(dialect === 'sqlite' ? inSqlite : inPostgres)
}
