import { drizzle } from 'drizzle-orm/sqlite-proxy'
import type { Clock } from '../lib/clock.ts'
import type { DatabaseTarget } from '../lib/database-url.ts'
import type { Log } from '../lib/log.ts'
import type { Random } from '../lib/random.ts'
import { type Columns, sqliteColumns } from './columns.ts'
import { reserveIds } from './reserve-ids.ts'
import { openSqlite } from './sqlite.ts'
import type { Db, Driver, Store } from './store.ts'
import { allTables } from './tables/all.ts'

export interface StorageOptions {
  target: DatabaseTarget
  synchronous: 'FULL' | 'NORMAL'
  /** See `SqliteOptions`. */
  cacheMb: number
  poolSize: number
  clock: Clock
  random: Random
  log?: Pick<Log, 'error'>
  /** See `SqliteOptions`. */
  waitInside?: boolean
  inspect?: boolean
  mustExist?: boolean
}

/** Opens the database and migrates nothing. The driver is for `migrate.ts`; everything else uses the store. */
export async function openStorage({ target, ...options }: StorageOptions): Promise<{ store: Store; driver: Driver }> {
  const { driver, q, columns } =
    target.dialect === 'sqlite' ? sqlite(target.path, options) : await postgresql(target.url, options)
  const { execute, tryRead, transaction, afterCommit, stats, close } = driver
  const { dialect } = target
  const t = allTables(columns)
  const reserve: Store['reserveIds'] = (table, through) => reserveIds(driver, dialect, { table, through })
  return {
    driver,
    store: { dialect, q, t, execute, tryRead, transaction, afterCommit, reserveIds: reserve, stats, close },
  }
}

type Options = Omit<StorageOptions, 'target'>

interface Dialect {
  driver: Driver
  q: Db['q']
  columns: Columns
}

function sqlite(path: string, options: Options): Dialect {
  const driver = openSqlite({ path, ...options })
  return { driver, q: drizzle(driver.execute), columns: sqliteColumns }
}

/** Loads the PostgreSQL modules only here: a start on SQLite need not evaluate them. */
async function postgresql(url: string, options: Options): Promise<Dialect> {
  const [{ openPostgres }, { postgresqlColumns }, builder] = await Promise.all([
    import('./postgres.ts'),
    import('./columns.postgresql.ts'),
    import('drizzle-orm/pg-proxy'),
  ])
  const driver = openPostgres({ url, ...options })
  return { driver, q: builder.drizzle(driver.execute) as unknown as Db['q'], columns: postgresqlColumns }
}
