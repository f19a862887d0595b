import { chownSync, closeSync, existsSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { type Identity, type PostgresBinaries, postgresBinaries, run } from './postgres-binaries.ts'
import { scratchFolder } from './scratch.ts'

export interface TestDatabase {
  url: string
  /** Drops the database, even with open connections. Not needed at the end of a run: the server's folder is deleted. */
  drop(): Promise<void>
}

export interface PostgresServer {
  port: number
  /**
   * A new database, owned by an ordinary user, which is the one in its URL.
   * @param options.template the URL of a database to copy, for example a migrated one; nobody may be connected to it
   */
  createDatabase(options?: { template?: string }): Promise<TestDatabase>
  /** `SIGKILL` is a crash, `SIGSTOP` and `SIGCONT` a server that hangs and continues, `SIGINT` an orderly restart. */
  signal(name: 'SIGKILL' | 'SIGSTOP' | 'SIGCONT' | 'SIGINT'): void
  /** Resolves when the server process has ended. */
  exited(): Promise<void>
  /** Kills the server with the processes of all its connections, also of those that are just being opened. */
  crash(): Promise<void>
  /** Starts it again on the same port and files after it has ended. */
  restart(): Promise<void>
}

let shared: Promise<PostgresServer> | undefined

/** The PostgreSQL of this test process, started at first use: fast, and not durable across a power cut. */
export function sharedPostgres(): Promise<PostgresServer> {
  shared ??= startPostgres({ stays: true })
  return shared
}

/** A new database on the PostgreSQL of this test process. */
export const createDatabase = async (options?: { template?: string }): Promise<TestDatabase> =>
  (await sharedPostgres()).createDatabase(options)

/**
 * Starts a separate PostgreSQL for a test that crashes or halts it. It ends with the test process.
 * @param options.durable PostgreSQL's own defaults for fsync and commits, so that confirmed data survives a crash
 * @param options.stays no test stops it, so that databases are made over one connection, which is quicker
 */
export async function startPostgres({ durable = false, stays = false } = {}): Promise<PostgresServer> {
  binaries ??= postgresBinaries()
  const { initdb, postgres, identity } = await binaries
  const folder = scratchFolder('postgresql')
  const data = join(folder, 'data')
  const passwordFile = join(folder, 'password')
  mkdirSync(data, { mode: 0o700 })
  writeFileSync(passwordFile, PASSWORD)
  changeOwner(identity, data, passwordFile)
  const made = await run([initdb, '-D', data, `--pwfile=${passwordFile}`, ...INITDB_OPTIONS], identity)
  if (made.exitCode !== 0) throw new Error(`initdb failed: ${made.stderr}`)

  let launches = 0
  let pid: number | undefined
  const launch = async (port: number) => {
    const log = join(folder, `log-${++launches}`)
    const logFile = openSync(log, 'a')
    const options = [...COMMON_SETTINGS, ...(durable ? DURABLE_SETTINGS : QUICK_SETTINGS)].flatMap((set) => ['-c', set])
    const server = Bun.spawn([...SHIELD, postgres, '-D', data, '-p', String(port), ...options], {
      ...identity,
      cwd: '/',
      stdin: 'ignore',
      stdout: logFile,
      stderr: logFile,
    })
    closeSync(logFile)
    server.unref()
    for (const before = pid; pid === before; await Bun.sleep(10)) {
      if (server.exitCode !== null || server.signalCode !== null)
        throw new Error(`PostgreSQL did not start: ${readFileSync(log, 'utf8')}`)
      pid = readyPid(data) ?? pid
    }
    return server
  }

  let port = 0
  // Another process may take a free port before the server does.
  let server = await whileRefused('could not bind', async () => {
    port = await freePort()
    return launch(port)
  })
  const administer = stays ? overOneConnection(port) : overNewConnections(port)
  await administer(`CREATE ROLE keyward LOGIN PASSWORD '${PASSWORD}'`)
  let databases = 0
  return {
    port,
    async createDatabase({ template } = {}) {
      const name = `test_${++databases}`
      // The copy of files is faster than PostgreSQL's own choice, which also writes them to its log.
      const origin = template && ` TEMPLATE ${new URL(template).pathname.slice(1)} STRATEGY FILE_COPY`
      await administer(`CREATE DATABASE ${name} OWNER keyward${origin ?? ''}`)
      return {
        url: urlOf('keyward', port, name),
        drop: () => administer(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`),
      }
    },
    signal: (name) => process.kill(pid!, name),
    async crash() {
      // The stopped server accepts no connection, so it gets no further process meanwhile.
      process.kill(pid!, 'SIGSTOP')
      const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean)
      for (const one of [pid!, ...children.map(Number)]) process.kill(one, 'SIGKILL')
      await server.exited
    },
    exited: async () => {
      await server.exited
    },
    async restart() {
      await server.exited
      // After a crash its server processes end a moment later than itself.
      server = await whileRefused('pre-existing shared memory', () => launch(port))
    },
  }
}

let binaries: Promise<PostgresBinaries> | undefined

const PASSWORD = 'keyward-test'

// A linguistic collation, as on most servers: tests must not depend on its order any more than on SQLite's.
const INITDB_OPTIONS = [
  '--username=postgres',
  '--auth=scram-sha-256',
  '--encoding=UTF8',
  '--locale=C',
  '--locale-provider=icu',
  '--icu-locale=en-US',
  '--no-sync',
  '--no-instructions',
]

// When a test times out, Bun kills every process it started: not this shell, and not the shell's child.
const SHIELD = ['/bin/sh', '-c', `trap '' TERM; "$@" & wait`, 'keyward-test-postgresql']

const COMMON_SETTINGS = ['listen_addresses=127.0.0.1', 'unix_socket_directories=', 'max_connections=200']

const QUICK_SETTINGS = [
  'fsync=off',
  'synchronous_commit=off',
  'full_page_writes=off',
  'wal_level=minimal',
  'max_wal_senders=0',
  'autovacuum=off',
  'shared_buffers=64MB',
]

// All else is PostgreSQL's default. Recovery would sync a thousand files one by one, which these tests do not need.
const DURABLE_SETTINGS = process.platform === 'linux' ? ['recovery_init_sync_method=syncfs'] : []

const urlOf = (user: string, port: number, database: string): string =>
  `postgresql://${user}:${PASSWORD}@127.0.0.1:${port}/${database}`

type Administer = (statement: string) => Promise<void>

/** Runs each statement on its own connection, so that no open connection breaks when a test stops the server. */
const overNewConnections =
  (port: number): Administer =>
  async (statement) => {
    const sql = new Bun.SQL(urlOf('postgres', port, 'postgres'), { max: 1 })
    try {
      await sql.unsafe(statement)
    } finally {
      await sql.close()
    }
  }

/** Runs the statements one after the other. The connection closes when it is idle, so that it keeps no process alive. */
function overOneConnection(port: number): Administer {
  const sql = new Bun.SQL(urlOf('postgres', port, 'postgres'), { max: 1, idleTimeout: 5 })
  return async (statement) => {
    await sql.unsafe(statement)
  }
}

function changeOwner(identity: Identity, ...paths: string[]): void {
  if ('uid' in identity) for (const path of paths) chownSync(path, identity.uid, identity.gid)
}

/**
 * The pid of a server that accepts connections, from the first and eighth line of its state file, as `pg_ctl --wait`
 * reads them. A crashed server leaves the file behind: then it is the old pid.
 */
function readyPid(data: string): number | undefined {
  const file = join(data, 'postmaster.pid')
  const lines = existsSync(file) ? readFileSync(file, 'utf8').split('\n') : []
  return lines[7]?.trim() === 'ready' ? Number(lines[0]) : undefined
}

/** Retries while the server refuses to start with the message `refusal`. */
async function whileRefused<T>(refusal: string, start: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await start()
    } catch (error) {
      if (attempt === 20 || !String(error).includes(refusal)) throw error
      await Bun.sleep(100)
    }
  }
}

const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const probe = createServer().once('error', reject)
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address()
      probe.close(() => (address !== null && typeof address === 'object' ? resolve(address.port) : reject(address)))
    })
  })
