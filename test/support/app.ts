import { type App, createApp } from '../../src/app.ts'
import { jobsOf } from '../../src/cli/jobs.ts'
import { withSecretKey } from '../../src/config/dev-secret.ts'
import { loadConfig } from '../../src/config/load.ts'
import type { Config } from '../../src/config/schema.ts'
import { startJobs } from '../../src/features/jobs/jobs.ts'
import { pathOf } from '../../src/http/route-table.ts'
import type { Target } from '../../src/http/target.ts'
import { MINUTE, SECOND } from '../../src/lib/clock.ts'
import { openService } from '../../src/service.ts'
import { type Admin, adminOf, type Keys, keysOf, type RecordEvent, recordOf, type Tokens } from './acting.ts'
import { type ManualClock, manualClock } from './clock.ts'
import { type Dialect, dialects, migratedDatabase } from './dialects.ts'
import { factorsOf, type TestFactors } from './factors.ts'
import { type Process, processOf } from './process.ts'
import { seededRandom } from './random.ts'
import { type Replace, replacements } from './replace.ts'
import { type Rows, rowsOf } from './rows.ts'

export interface TestAppOptions {
  /** SQLite unless a suite runs on both databases. */
  dialect?: Dialect
  /** An existing database instead of a new one: a second process beside the first. */
  databaseUrl?: string
  /** Settings in addition to the test's own (cheap bcrypt, no log, a fixed SECRET_KEY). */
  env?: Record<string, string>
  clock?: ManualClock
  seed?: string
  /** Runs the periodic jobs as a server does; `passTime` then waits for the jobs that fall due. */
  jobs?: boolean
  /** Mails go to `/dev/mailbox`, as with `--dev`. */
  mailbox?: boolean
  /** Parts of the service to use instead of the real ones. */
  replace?: Replace
}

export interface TestApp {
  /** Operations of administrators and commands, without HTTP. */
  admin: Admin
  /** The signing keys, as this process knows them. */
  keys: Keys
  tokens: Tokens
  /** Second factors, without the routes that people use. */
  factors: TestFactors
  /** Operations inside the process, without a request. */
  process: Process
  /** The rows of each table. */
  rows: Rows
  record: RecordEvent
  /** See `App`. */
  isProbe: App['isProbe']
  table: App['table']
  config: Config
  clock: ManualClock
  databaseUrl: string
  /** Every logged line, at level `debug`. */
  logs: string[]
  /** Sends a request in process; `peer` is the client's address. */
  fetch(request: Request, peer?: string, target?: Target): Promise<Response>
  request(method: string, path: string, options?: RequestOptions): Promise<Response>
  /** Registers and logs in; returns the tokens of `/token` and more. */
  signUp(username?: string, password?: string): Promise<SignedUp>
  /** Advances the clock by `ms`; with `jobs` the due jobs run, each at least once per minute or more. */
  passTime(ms: number): Promise<void>
  close(): Promise<void>
}

export interface RequestOptions {
  json?: unknown
  form?: Record<string, string> | string
  /** Sent unchanged, with `type` as its Content-Type. */
  body?: NonNullable<RequestInit['body']>
  type?: string
  token?: string
  headers?: Record<string, string>
  peer?: string
}

export interface SignedUp {
  id: number
  username: string
  email: string
  password: string
  /** The JSON answer of `/token`. */
  grant: Record<string, string> & { access_token: string }
}

export const testSecret = 'only-for-tests-7b1f0c9e5a3d4826-9e1c'

/** A whole Keyward in process: a new migrated database, a manual clock, cheap bcrypt. Close it. */
export async function createTestApp(options: TestAppOptions = {}): Promise<TestApp> {
  const clock = options.clock ?? manualClock()
  const random = seededRandom(options.seed ?? 'test app')
  const database = options.databaseUrl
    ? { url: options.databaseUrl, dispose: async () => {} }
    : await migratedDatabase(options.dialect ?? dialects[0]!)
  const { config: draft } = loadConfig({
    env: {
      DATABASE_URL: database.url,
      SECRET_KEY: testSecret,
      BCRYPT_COST: '4',
      HASH_NICE: '0',
      // Each connection takes longer to open than most tests to run. Transactions still run beside each other.
      POSTGRES_POOL_SIZE: '4',
      LOG_LEVEL: 'debug',
      LOG_FORMAT: 'json',
      // Limits have their own suites, which turn them on.
      RATE_LIMIT: 'off',
      ...options.env,
    },
    dev: true,
    random,
  })
  const { config } = withSecretKey(draft, random)
  const logs: string[] = []
  const service = await openService(config, {
    clock,
    random,
    write: (line) => logs.push(line),
    dev: options.mailbox === true,
    replace: replacements(options.replace ?? {}, clock),
  })
  const peers = new WeakMap<Request, string>()
  const app = createApp(service, { peer: (request) => peers.get(request) ?? '192.0.2.1' })
  const jobs = options.jobs ? startJobs(service, jobsOf(service)) : undefined

  const fetch = async (request: Request, peer?: string, target?: Target) => {
    if (peer !== undefined) peers.set(request, peer)
    return declared(app, request, await app.fetch(request, target), target)
  }
  const request = (method: string, path: string, options: RequestOptions = {}) =>
    fetch(buildRequest(`http://localhost:8000${path}`, method, options), options.peer)

  return {
    admin: adminOf(service),
    keys: keysOf(service),
    tokens: service.tokens,
    factors: factorsOf(service),
    process: processOf(service, Promise.resolve(app.fetch)),
    rows: rowsOf(service.store),
    record: recordOf(service),
    isProbe: app.isProbe,
    table: app.table,
    config,
    clock,
    databaseUrl: database.url,
    logs,
    fetch,
    request,
    async signUp(username = 'ada', password = 'correct horse battery') {
      const email = `${username}@example.com`
      const registered = await request('POST', '/register', { json: { email, username, password } })
      if (registered.status !== 201) throw new Error(`register: ${registered.status} ${await registered.text()}`)
      const { id } = (await registered.json()) as { id: number }
      const token = await request('POST', '/token', { form: { username, password } })
      if (token.status !== 200) throw new Error(`token: ${token.status} ${await token.text()}`)
      return { id, username, email, password, grant: (await token.json()) as SignedUp['grant'] }
    },
    async passTime(ms) {
      // First only the wall clock, then a minute in steps: three months would be a million turns of the jobs.
      clock.setWall(clock.now() + Math.max(0, ms - MINUTE))
      for (let left = Math.min(ms, MINUTE); left > 0; left -= 10 * SECOND) {
        await clock.advance(Math.min(left, 10 * SECOND))
        await jobs?.settled()
      }
    },
    async close() {
      await jobs?.stop()
      await service.close()
      // Not awaited: PostgreSQL needs a tenth of a second. What is left is removed at the end of the run.
      database.dispose().catch(() => {})
    },
  }
}

/** Checks in every test that a route answers only what it declares. */
function declared({ table }: App, { method, url }: Request, response: Response, target: Target = 'plain'): Response {
  const route = target === 'plain' && URL.canParse(url) ? table.find(method, pathOf(url)) : undefined
  if (route && !route.statuses.includes(response.status))
    throw new Error(`${method} ${route.pattern} answered ${response.status}, which it does not declare`)
  // A path from the root would leave Keyward where a proxy serves it under a path of its own.
  if (response.headers.get('location')?.startsWith('/'))
    throw new Error(`${method} ${url} has a Location from the root`)
  return response
}

/** A request as a client would send it. */
export function buildRequest(url: string, method: string, options: RequestOptions = {}): Request {
  const headers = new Headers(options.headers)
  if (options.token !== undefined) headers.set('authorization', `Bearer ${options.token}`)
  let body = options.body
  if (options.json !== undefined) {
    body = JSON.stringify(options.json)
    headers.set('content-type', 'application/json')
  } else if (options.form !== undefined) {
    body = typeof options.form === 'string' ? options.form : new URLSearchParams(options.form).toString()
    headers.set('content-type', 'application/x-www-form-urlencoded')
  }
  if (options.type !== undefined) headers.set('content-type', options.type)
  return new Request(url, { method, headers, ...(body !== undefined && { body }) })
}
