import { AsyncLocalStorage } from 'node:async_hooks'
import type { SQL, TransactionSQL } from 'bun'
import type { Clock } from '../lib/clock.ts'
import type { Log } from '../lib/log.ts'
import type { PostgresAddress } from '../lib/postgres-url.ts'
import type { Random } from '../lib/random.ts'
import { createTimeLimit } from '../lib/time-limit.ts'
import { asRefusal, isReadOnly, lostPrepared, mayRetry, sqlState } from './postgres-errors.ts'
import { createReads } from './postgres-reads.ts'
import { inspectServer, type Session } from './postgres-server.ts'
import { createWriteTurns } from './postgres-turns.ts'
import type { Driver, Result, WriteOptions } from './store.ts'
import {
  databaseUnavailable,
  join,
  newTransaction,
  runAfterCommit,
  runWhole,
  scheduleAfterCommit,
  type Transaction,
} from './transaction.ts'

export interface PostgresOptions extends Omit<PostgresAddress, 'shown'> {
  poolSize: number
  clock: Clock
  random: Random
  log?: Pick<Log, 'error' | 'warn'>
  /** True for commands, not for the server: transactions may take any time, and only statements have a time limit. */
  waitInside?: boolean
}

/** How many times a statement or transaction is run when it conflicts with another transaction, the first included. */
const ATTEMPTS = 8
/** The time in milliseconds after which the server cancels a statement, or ends a transaction that is idle. */
const STATEMENT_LIMIT = 10_000
/** The time in milliseconds after which Keyward refuses a statement or transaction that has not finished. */
const ANSWER_LIMIT = STATEMENT_LIMIT + 1_000

/** The parameters of a connection that make the server enforce `STATEMENT_LIMIT`. */
const timeLimits = {
  statement_timeout: STATEMENT_LIMIT,
  idle_in_transaction_session_timeout: STATEMENT_LIMIT,
}

/** SQL by which an operator sets `timeLimits` for all later sessions of the database user, also behind a pooler. */
const limitsOfRole = Object.entries(timeLimits)
  .map(([name, ms]) => `ALTER ROLE CURRENT_USER SET ${name} = ${ms};`)
  .join(' ')

/**
 * The shortest time in milliseconds between two replacements of the pool because the server is read-only. If new
 * connections are read-only too, each write would otherwise open new connections.
 */
const READ_ONLY_PAUSE = 5_000

/** The number of the advisory lock that a migrating process takes. The bytes of the number spell "keywar". */
const MIGRATION_LOCK = 0x6b6579776172

interface PostgresTransaction extends Transaction {
  sql: TransactionSQL
}

/** Opens PostgreSQL with a pool of Bun.SQL. Transactions run at READ COMMITTED and are retried after a conflict. */
export function openPostgres({
  url,
  host,
  files,
  database,
  poolSize,
  clock,
  random,
  log,
  waitInside,
}: PostgresOptions): Driver {
  let session: Session = { prepares: true, asksLimits: true }
  const connect = (max = poolSize, { prepares, asksLimits } = session) =>
    new Bun.SQL(url, {
      max,
      ...(database === undefined ? {} : { database }),
      ...(prepares ? {} : { prepare: false }),
      connectionTimeout: STATEMENT_LIMIT / 1_000,
      // In seconds, and 0 for no limit: a transaction of a command may take hours. The server's memory for the prepared
      // statements of a connection is freed when the connection ends.
      idleTimeout: waitInside ? 0 : 300,
      maxLifetime: waitInside ? 0 : 3_600,
      connection: { application_name: 'keyward', ...(asksLimits ? timeLimits : {}) },
    })
  let pool = connect()
  let lastAnswer = clock.monotonic()
  let leftReadOnly = Number.NEGATIVE_INFINITY
  const running = new AsyncLocalStorage<PostgresTransaction>()
  let turns = createWriteTurns(poolSize)
  const limit = createTimeLimit(clock, ANSWER_LIMIT)
  let waiting = 0
  let waitedTotal = 0
  let waitedMsTotal = 0

  const answered = <T>(value: T): T => {
    lastAnswer = clock.monotonic()
    return value
  }

  /**
   * Opens new connections for all later work.
   * @param grace the seconds for which running work may still use the old connections
   */
  function replacePool(grace: number) {
    pool.close({ timeout: grace }).catch(() => {})
    pool = connect()
    // A write on a closed connection may never settle. In the old `turns`, it would count as running forever.
    turns = createWriteTurns(poolSize)
  }

  /** Returns the refusal for work that took too long. Replaces the pool if the server answered nothing meanwhile. */
  function giveUp() {
    if (clock.monotonic() - lastAnswer >= ANSWER_LIMIT) {
      replacePool(0)
      answered(undefined)
    }
    return databaseUnavailable()
  }

  /**
   * Replaces the pool, at most once in `READ_ONLY_PAUSE`. A read-only server may have been the primary before a
   * failover. New connections then lead to the new primary, while open connections stay with the old server.
   */
  function leaveReadOnly() {
    if (clock.monotonic() - leftReadOnly < READ_ONLY_PAUSE) return
    leftReadOnly = clock.monotonic()
    replacePool(STATEMENT_LIMIT / 1_000)
  }

  async function query(sql: SQL, text: string, params: unknown[]): Promise<Result> {
    try {
      const rows: unknown[][] & { count?: number | null } = await sql.unsafe(text, params).values()
      return answered({ rows, changes: rows.count ?? 0 })
    } catch (error) {
      if (sqlState(error) !== undefined) answered(undefined)
      if (isReadOnly(error)) leaveReadOnly()
      if (lostPrepared(error) && session.prepares) {
        session = { ...session, prepares: false }
        replacePool(STATEMENT_LIMIT / 1_000)
      }
      throw asRefusal(error)
    }
  }

  /** Runs a single SELECT, which may use any connection of the pool. */
  const readAlone = (text: string, params: unknown[]) => retrying(() => limit.watch(query(pool, text, params), giveUp))

  const read = createReads(
    async (text, params) => (await readAlone(text, params)).rows,
    (values, type) => pool.array(values, type),
  )

  /**
   * Runs a single write on a reserved connection. On connections that are not reserved, Bun sends further statements
   * before earlier ones are answered, so a read could wait behind a write that waits for a lock.
   */
  async function write(text: string, params: unknown[], { userId }: WriteOptions = {}): Promise<Result> {
    let isOverdue = false
    const whole = turns.run(userId, async () => {
      if (isOverdue) throw databaseUnavailable()
      const connection = await pool.reserve()
      try {
        return await query(connection, text, params)
      } finally {
        connection.release()
      }
    })
    return limit.watch(whole, () => {
      isOverdue = true
      return giveUp()
    })
  }

  async function inTransaction<T>(work: () => Promise<T>, { userId }: WriteOptions = {}): Promise<T> {
    const transaction = newTransaction()
    const overdue = Promise.withResolvers<never>()
    overdue.promise.catch(() => {})
    const asked = clock.monotonic()
    waiting++
    let counted = false
    const noLongerWaits = () => {
      if (counted) return
      counted = true
      waiting--
      waitedTotal++
      waitedMsTotal += clock.monotonic() - asked
    }
    const begin = async (sql: TransactionSQL) => {
      noLongerWaits()
      if (transaction.ended) throw databaseUnavailable()
      const inside: PostgresTransaction = Object.assign(transaction, { sql })
      try {
        // `overdue` rejects when the transaction takes too long. The rejection rolls the transaction back and frees its
        // connection, even if `work` has not finished.
        return await Promise.race([running.run(inside, () => runWhole(inside, work)), overdue.promise])
      } finally {
        transaction.ended = true
      }
    }
    const whole = turns.run(userId, async () => {
      if (transaction.ended) throw databaseUnavailable()
      return pool.begin(begin) as Promise<T>
    })
    try {
      const value = await (waitInside
        ? whole
        : limit.watch(whole, () => {
            const refusal = giveUp()
            transaction.ended = true
            overdue.reject(refusal)
            return refusal
          }))
      runAfterCommit(transaction, log)
      return value
    } finally {
      noLongerWaits()
    }
  }

  async function retrying<T>(task: () => Promise<T>): Promise<T> {
    for (let tried = 1; ; tried++) {
      try {
        return await task()
      } catch (error) {
        if (!mayRetry(error) || tried === ATTEMPTS) throw asRefusal(error)
        await clock.sleep(random.fraction() * 10 * tried)
      }
    }
  }

  return {
    execute(sql, params, options) {
      const transaction = running.getStore()
      if (transaction) return join(transaction, () => query(transaction.sql, sql, params))
      const isRead = /^\s*select\b/i.test(sql)
      return isRead ? readAlone(sql, params) : retrying(() => write(sql, params, options))
    },
    tryRead: (sql, params) => (running.getStore() ? undefined : read(sql, params)),
    async transaction(work, options) {
      const transaction = running.getStore()
      return transaction ? join(transaction, work) : retrying(() => inTransaction(work, options))
    },
    afterCommit: (task) => scheduleAfterCommit(running.getStore(), task),
    stats: () => ({ waiting, waitedTotal, waitedMsTotal }),
    runAlone: (work) =>
      pool.begin(async (sql) => {
        const run = async (text: string, params: unknown[] = []) =>
          (await sql.unsafe(text, params).values()) as unknown[][]
        // No statement limit, so that a second process can wait for the lock until the first process has migrated.
        await run('SET LOCAL statement_timeout = 0')
        await run('SELECT pg_advisory_xact_lock($1)', [MIGRATION_LOCK])
        // drizzle-kit writes the schema "public" into foreign keys. The prefix is removed, because the tables are in
        // the first schema of the search path, which may have another name.
        return work({
          run: (text, params) => run(text.replaceAll('"public".', ''), params),
          copyAside: async () => undefined,
        })
      }) as ReturnType<typeof work>,
    snapshot: (work) =>
      pool.begin('ISOLATION LEVEL REPEATABLE READ READ ONLY', async (sql) => {
        await query(sql, 'SET LOCAL idle_in_transaction_session_timeout = 0', [])
        return work(async (text, params = []) => (await query(sql, text, params)).rows)
      }) as ReturnType<typeof work>,
    async checkServer() {
      const { hasLimits, ...found } = await inspectServer((session) => connect(2, session), { host, files })
      if (!found.prepares || !found.asksLimits) {
        session = found
        replacePool(0)
      }
      if (!hasLimits && !waitInside)
        log?.warn('database_time_limits_missing', {
          hint: `a pooler drops the time limits of connections: run ${limitsOfRole}`,
        })
    },
    async columnsOf(table) {
      const { rows } = await limit.watch(
        query(
          pool,
          // Not information_schema.columns: the server plans that view for longer than a start should take.
          `SELECT a.attname FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
          JOIN pg_namespace n ON n.oid = c.relnamespace
          WHERE n.nspname = current_schema() AND c.relname = $1 AND a.attnum > 0 AND NOT a.attisdropped`,
          [table],
        ),
        giveUp,
      )
      return rows.map(([name]) => String(name))
    },
    async close() {
      await pool.close({ timeout: 5 })
      limit.stop()
    },
  }
}
