import { afterAll, afterEach, beforeAll, beforeEach } from 'bun:test'
import { createTestApp, type TestApp, type TestAppOptions } from './app.ts'
import { type Dialect, describeEachDialect } from './dialects.ts'

/** A fresh app for each test of the suite it is called in, closed after the test. */
export function appPerTest(options: TestAppOptions = {}): TestApp {
  const { app, open, close } = openable(options)
  beforeEach(open)
  afterEach(close)
  return app
}

/** One app for all tests of the suite it is called in, closed after the last one. */
export function appPerSuite(options: TestAppOptions = {}): TestApp {
  const { app, open, close } = openable(options)
  beforeAll(open)
  afterAll(close)
  return app
}

/** Declares the same tests for every dialect, with a fresh app for each test. */
export function describeApp(
  name: string,
  options: Omit<TestAppOptions, 'dialect'>,
  declare: (app: TestApp, dialect: Dialect) => void,
): void {
  describeEachDialect(name, (dialect) => declare(appPerTest({ ...options, dialect }), dialect))
}

/** An app that a suite can name before it is there: each member is that of the app that is open now. */
function openable(options: TestAppOptions) {
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
      current = undefined
      await closing?.close()
    },
  }
}
