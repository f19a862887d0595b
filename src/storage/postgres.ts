import { AsyncLocalStorage } from 'node:async_hooks'
import { SQL, type TransactionSQL } from 'bun'
import { KeywardError } from '../errors.ts'
import type { Clock } from '../lib/clock.ts'
import type { Random } from '../lib/random.ts'
import type { Driver } from './store.ts'

export interface PostgresOptions {
  url: string
  poolSize: number
  clock: Clock
  random: Random
}

/** How often a transaction that lost to another one is tried again. */
const ATTEMPTS = 8
/** No statement is waited for longer, in milliseconds; a database that hangs is a database that is away. */
const STATEMENT_LIMIT = 10_000

/** The advisory lock that migrating processes share: the letters "keywar" as a number. */
const MIGRATION_LOCK = 0x6b6579776172

interface Transaction {
  sql: TransactionSQL
  afterCommit: (() => void)[]
  open: boolean
}

/** PostgreSQL through Bun.SQL: a pool, pooled transactions at READ COMMITTED, retried when they lose to another one. */
export function openPostgres({ url, poolSize, clock, random }: PostgresOptions): Driver {
  const pool = new SQL(url, {
    max: poolSize,
    connectionTimeout: STATEMENT_LIMIT / 1_000,
    idleTimeout: 300,
    connection: { statement_timeout: STATEMENT_LIMIT, application_name: 'keyward' },
  })
  const running = new AsyncLocalStorage<Transaction>()
  const limit = createTimeLimit(clock)
  let waiting = 0
  let waitedTotal = 0
  let waitedMsTotal = 0

  /** Counts one wait for a connection; what it answers ends that wait, however often it is called. */
  function beginWait(): () => void {
    const since = clock.monotonic()
    let over = false
    waiting++
    return () => {
      if (over) return
      over = true
      waiting--
      waitedTotal++
      waitedMsTotal += clock.monotonic() - since
    }
  }

  async function attempt<T>(work: () => Promise<T>): Promise<T> {
    const afterCommit: (() => void)[] = []
    const endWait = beginWait()
    const connected = pool.begin(async (sql) => {
      endWait()
      const transaction: Transaction = { sql, afterCommit, open: true }
      try {
        return await running.run(transaction, work)
      } finally {
        transaction.open = false
      }
    }) as Promise<T>
    const value = await limit.watch(connected.finally(endWait))
    for (const task of afterCommit) task()
    return value
  }

  return {
    async execute(sql, params) {
      const transaction = running.getStore()
      if (transaction && !transaction.open) throw new Error('A statement was run after its transaction had ended')
      try {
        const query = (transaction?.sql ?? pool).unsafe(sql, params as unknown[]).values() as Promise<unknown[][]>
        return { rows: await (transaction ? query : limit.watch(query)) }
      } catch (error) {
        throw asRefusal(error)
      }
    },
    async transaction(work) {
      if (running.getStore()?.open) return work()
      for (let tried = 1; ; tried++) {
        try {
          return await attempt(work)
        } catch (error) {
          if (!lostToAnother(error) || tried === ATTEMPTS) throw asRefusal(error)
          await clock.sleep(random.fraction() * 10 * tried)
        }
      }
    },
    afterCommit(task) {
      const transaction = running.getStore()
      if (transaction?.open) transaction.afterCommit.push(task)
      else task()
    },
    stats: () => ({ waiting, waitedTotal, waitedMsTotal }),
    migrateAlone: (work) =>
      pool.begin(async (sql) => {
        // Without the limit a second start, waiting here for the first one to migrate, would give up.
        await sql.unsafe('SET LOCAL statement_timeout = 0')
        await sql.unsafe('SELECT pg_advisory_xact_lock($1)', [MIGRATION_LOCK])
        return work(async (text, params = []) => (await sql.unsafe(text, params).values()) as unknown[][])
      }) as ReturnType<typeof work>,
    async columnsOf(table) {
      const rows = await pool
        .unsafe(
          'SELECT column_name FROM information_schema.columns WHERE table_schema = current_schema() AND table_name = $1',
          [table],
        )
        .values()
      return (rows as unknown[][]).map(([name]) => String(name))
    },
    copyAside: async () => undefined,
    async close() {
      limit.stop()
      await pool.close({ timeout: 5 })
    },
  }
}

/** Rejects what takes longer than `STATEMENT_LIMIT`; one timer for all, since a timer per statement would cost more than the statement. */
function createTimeLimit(clock: Clock) {
  const waiting = new Set<{ due: number; reject: (error: unknown) => void }>()
  const stop = clock.every(1_000, () => {
    const now = clock.monotonic()
    for (const one of waiting)
      if (one.due < now) one.reject(new KeywardError('database_unavailable', { retryAfter: 5 }))
  })
  return {
    stop,
    watch: <T>(work: Promise<T>): Promise<T> =>
      new Promise<T>((resolve, reject) => {
        const entry = { due: clock.monotonic() + STATEMENT_LIMIT + 1_000, reject }
        waiting.add(entry)
        work.then(resolve, reject).finally(() => waiting.delete(entry))
      }),
  }
}

/** The SQLSTATE of a server error; undefined for anything else. */
const sqlState = (error: unknown): string | undefined => {
  for (let at = error, depth = 0; at instanceof Error && depth < 5; at = at.cause, depth++) {
    const { errno } = at as { errno?: unknown }
    if (typeof errno === 'string' && /^[0-9A-Z]{5}$/.test(errno)) return errno
  }
}

const lostToAnother = (error: unknown): boolean => ['40001', '40P01'].includes(sqlState(error) ?? '')

/** Connection gone, server stopping, out of room or read-only: a 503. What the statement itself did wrong passes unchanged. */
function asRefusal(error: unknown): unknown {
  const state = sqlState(error)
  if (state !== undefined) {
    if (/^(08|53|57P|58|25006)/.test(state))
      return new KeywardError('database_unavailable', { retryAfter: 5, cause: error })
    if (['40001', '40P01', '55P03', '57014'].includes(state))
      return new KeywardError('database_busy', { retryAfter: 1, cause: error })
    return error
  }
  const code = String((error as { code?: unknown } | undefined)?.code ?? '')
  return /^(ERR_POSTGRES_(CONNECTION|IDLE|LIFETIME|TLS|UNEXPECTED|INVALID_MESSAGE)|ECONN|ENOENT|ETIMEDOUT|EPIPE)/.test(
    code,
  )
    ? new KeywardError('database_unavailable', { retryAfter: 5, cause: error })
    : error
}
