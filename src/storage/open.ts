import { drizzle as postgresqlBuilder } from 'drizzle-orm/pg-proxy'
import { drizzle as sqliteBuilder } from 'drizzle-orm/sqlite-proxy'
import type { Clock } from '../lib/clock.ts'
import type { DatabaseTarget } from '../lib/database-url.ts'
import type { Log } from '../lib/log.ts'
import type { Random } from '../lib/random.ts'
import { postgresqlColumns, sqliteColumns } from './columns.ts'
import { openPostgres } from './postgres.ts'
import { reserveIds } from './reserve-ids.ts'
import { openSqlite } from './sqlite.ts'
import type { Db, Driver, Store } from './store.ts'
import { allTables } from './tables/all.ts'

export interface StorageOptions {
  target: DatabaseTarget
  synchronous: 'FULL' | 'NORMAL'
  poolSize: number
  clock: Clock
  random: Random
  log?: Pick<Log, 'error'>
  /** See `SqliteOptions`. */
  waitInside?: boolean
  inspect?: boolean
}

/** Opens the database. The driver is for `migrate.ts`; all else goes through the store. */
export function openStorage({ target, ...options }: StorageOptions): { store: Store; driver: Driver } {
  const { dialect } = target
  const driver =
    dialect === 'sqlite' ? openSqlite({ path: target.path, ...options }) : openPostgres({ url: target.url, ...options })
  const { execute, readDirect, transaction, afterCommit, stats, close } = driver
  const q = dialect === 'sqlite' ? sqliteBuilder(execute) : (postgresqlBuilder(execute) as unknown as Db['q'])
  const t = allTables(dialect === 'sqlite' ? sqliteColumns : postgresqlColumns)
  const reserve: Store['reserveIds'] = (table, through) => reserveIds(driver, dialect, { table, through })
  return {
    driver,
    store: { dialect, q, t, execute, readDirect, transaction, afterCommit, reserveIds: reserve, stats, close },
  }
}
