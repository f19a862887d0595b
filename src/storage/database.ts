import type { Config } from '../config/schema.ts'
import { type Clock, systemClock } from '../lib/clock.ts'
import type { Log } from '../lib/log.ts'
import { systemRandom } from '../lib/random.ts'
import { embeddedMigrations, migrate, requireCurrent } from './migrate.ts'
import { openStorage } from './open.ts'
import type { Driver, Store } from './store.ts'

export type DatabaseSettings = Pick<
  Config,
  'DATABASE_URL' | 'SQLITE_SYNCHRONOUS' | 'SQLITE_CACHE_MB' | 'POSTGRES_POOL_SIZE'
>

/**
 * What happens to a database whose schema is not current. `upgrade` migrates it, and creates a missing SQLite file.
 * `require` refuses it and creates nothing. `ignore` opens it as it is, without a change on disk, to look at it.
 */
export type SchemaPolicy = 'upgrade' | 'require' | 'ignore'

export interface DatabaseOptions {
  /** For the times at which migrations are applied. */
  clock: Clock
  log?: Log
  /** See `StorageOptions.waitInside`. */
  waitInside?: boolean
  schema?: SchemaPolicy
}

export interface OpenDatabase {
  store: Store
  driver: Driver
  /** The migrations that were applied, and the copy that was made of an SQLite file before. */
  upgrade: { applied: readonly string[]; copy: string | undefined }
}

/**
 * Opens the database of a configuration, and upgrades or checks its schema.
 * @throws MigrationError as `migrate`; with `require` also when migrations are pending or the file is not there
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
    // Waiting for another process takes real time, also where a test moves the clock by hand.
    clock: systemClock,
    random: systemRandom,
    log,
    waitInside,
    inspect: schema === 'ignore',
    mustExist: schema === 'require',
  })
  try {
    const migrations = embeddedMigrations(store.dialect)
    if (schema === 'require') await requireCurrent(driver, migrations)
    if (schema !== 'upgrade') return { store, driver, upgrade: { applied: [], copy: undefined } }
    const upgrade = await migrate(driver, migrations, clock)
    const { applied, copy } = upgrade
    if (applied.length > 0) log?.info('database_migrated', { applied: applied.join(' '), copy })
    return { store, driver, upgrade }
  } catch (error) {
    await store.close()
    throw error
  }
}
