import { afterAll, afterEach, beforeAll, beforeEach } from 'bun:test'
import { createTestApp, type TestApp, type TestAppOptions } from './app.ts'
import { type Dialect, describeEachDialect } from './dialects.ts'
import { type Served, serve } from './socket.ts'

/** Runs before the app of a suite is closed: Bun runs closing hooks in the order of their declaration. */
type BeforeClose = () => unknown

/** A new app for each test of the suite, closed after the test. */
export function appPerTest(options: TestAppOptions = {}, beforeClose?: BeforeClose): TestApp {
  const { app, open, close } = openable(options, beforeClose)
  beforeEach(open)
  afterEach(close)
  return app
}

/** One app for all tests of the suite, closed after the last one. */
export function appPerSuite(options: TestAppOptions = {}, beforeClose?: BeforeClose): TestApp {
  const { app, open, close } = openable(options, beforeClose)
  beforeAll(open)
  afterAll(close)
  return app
}

/** One app for all tests of the suite, and its address on a socket. */
export function servedPerSuite(options: TestAppOptions = {}): { app: TestApp; served: Served } {
  let running: Served
  const app = appPerSuite(options, () => running.stop())
  beforeAll(() => {
    running = serve(app)
  })
  const served: Served = {
    get url() {
      return running.url
    },
    raw: (...sent) => running.raw(...sent),
    stop: () => running.stop(),
  }
  return { app, served }
}

/** Declares the same tests for every dialect, with a new app for each test. */
export function describeApp(
  name: string,
  options: Omit<TestAppOptions, 'dialect'>,
  declare: (app: TestApp, dialect: Dialect) => void,
): void {
  describeEachDialect(name, (dialect) => declare(appPerTest({ ...options, dialect }), dialect))
}

export interface Apps {
  /** Opens one more app; pass `databaseUrl` and `clock` of the first to share its database. */
  open(options?: TestAppOptions): Promise<TestApp>
  /** Closes an app before the test ends. */
  close(app: TestApp): Promise<void>
  /** Closes all open apps before the test ends. */
  closeAll(): Promise<void>
}

/** For tests that open apps themselves: all are closed after the test, the owner of the database last. */
export function appsPerTest(): Apps {
  const opened: TestApp[] = []
  let count = 0
  const closeAll = () => closeApps(opened.splice(0))
  afterEach(closeAll)
  return {
    closeAll,
    async open(options = {}) {
      const app = await createTestApp({ seed: `app ${count++}`, ...options })
      opened.push(app)
      return app
    },
    async close(app) {
      opened.splice(opened.indexOf(app), 1)
      await app.close()
    },
  }
}

/** Runs `body` with a new app, and closes it. */
export async function withApp(options: TestAppOptions, body: (app: TestApp) => Promise<void>): Promise<void> {
  const app = await createTestApp(options)
  try {
    await body(app)
  } finally {
    await app.close()
  }
}

/** Several apps on one database, with one clock. */
export async function createApps(count: number, options: TestAppOptions): Promise<TestApp[]> {
  const first = await createTestApp(options)
  const apps = [first]
  for (let at = 1; at < count; at++)
    apps.push(
      await createTestApp({ ...options, databaseUrl: first.databaseUrl, clock: first.clock, seed: `app ${at}` }),
    )
  return apps
}

/** Closes the first one last: it owns the database. */
export async function closeApps(apps: readonly TestApp[]): Promise<void> {
  for (const app of [...apps].reverse()) await app.close()
}

/** An app that a suite can name before it exists: each member is that of the app that is open now. */
function openable(options: TestAppOptions, beforeClose: BeforeClose = () => {}) {
  let current: TestApp | undefined
  const app = new Proxy({} as TestApp, {
    get(_, name) {
      if (current === undefined) throw new Error('there is an app only while a test runs')
      return Reflect.get(current, name)
    },
  })
  return {
    app,
    async open() {
      current = await createTestApp(options)
    },
    async close() {
      const closing = current
      if (closing === undefined) return
      try {
        await beforeClose()
      } finally {
        current = undefined
        await closing.close()
      }
    },
  }
}
