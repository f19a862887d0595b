import { Database } from 'bun:sqlite'
import { expect, setDefaultTimeout, test } from 'bun:test'
import { existsSync, readdirSync, statSync } from 'node:fs'
import { basename, dirname } from 'node:path'
import { systemClock } from '../../src/lib/clock.ts'
import { embeddedMigrations, migrate } from '../../src/storage/migrate.ts'
import { openUrl } from '../storage/support.ts'
import { type RunningBinary, runBinary, serverSettings, startBinary } from '../support/binary.ts'
import { inspectDatabase } from '../support/consistency.ts'
import { type Dialect, describeEachDialect, sqliteFile } from '../support/dialects.ts'
import { seededRandom } from '../support/random.ts'
import { expectCleanLog } from '../support/server-log.ts'

setDefaultTimeout(120_000)

const password = 'correct horse battery'
const random = seededRandom('killed starts')

const register = (keyward: RunningBinary, username: string) =>
  keyward.request('POST', '/register', { json: { email: `${username}@example.com`, username, password } })

const logIn = (keyward: RunningBinary, username: string) =>
  keyward.request('POST', '/token', { form: { username, password } })

const tokenOf = async (response: Promise<Response>): Promise<string> => {
  const { status, body } = await response.then(async (answer) => ({ status: answer.status, body: await answer.json() }))
  expect(status).toBe(200)
  return (body as { access_token: string }).access_token
}

const serveUntil = (kill: AbortSignal, databaseUrl: string) =>
  runBinary(['serve', '--dev'], { env: serverSettings({ databaseUrl }), kill })

/** Starts the server repeatedly and kills it, each time later. Returns how many kills came before it served. */
async function killWhileStarting(databaseUrl: string, { kills, within }: { kills: number; within: number }) {
  let early = 0
  for (let kill = 0; kill < kills; kill++) {
    const moment = Math.round(within * ((kill + random.fraction()) / kills))
    const { exitCode, stdout, stderr } = await serveUntil(AbortSignal.timeout(moment), databaseUrl)
    expect(exitCode).toBe(128 + 9)
    if (!stdout.includes('"started"')) early++
    expectCleanLog(stdout + stderr)
  }
  return early
}

const fresh = async (dialect: Dialect, template?: string) => {
  const { url } = await dialect.databaseUrl({ ...(template !== undefined && { template }) })
  return url
}

/** The time of a start on such a database, in milliseconds: the shorter of two, as the first may load the file. */
async function timeOfStart(dialect: Dialect, template?: string): Promise<number> {
  const times: number[] = []
  for (let start = 0; start < 2; start++) {
    const databaseUrl = await fresh(dialect, template)
    const began = performance.now()
    const keyward = await startBinary({ databaseUrl })
    times.push(performance.now() - began)
    await keyward.stop()
  }
  return Math.min(...times)
}

describeEachDialect('kill -9 while a database is created', (dialect) => {
  test('leaves a state that the next start can continue', async () => {
    const within = await timeOfStart(dialect)
    const databaseUrl = await fresh(dialect)
    expect(await killWhileStarting(databaseUrl, { kills: 6, within })).toBeGreaterThan(1)
    const keyward = await startBinary({ databaseUrl })
    const database = inspectDatabase(databaseUrl)
    try {
      expect((await register(keyward, 'ada')).status).toBe(201)
      const token = await tokenOf(logIn(keyward, 'ada'))
      expect((await keyward.request('GET', '/users/me', { token })).status).toBe(200)
      expect((await keyward.request('GET', '/readyz')).status).toBe(200)
      expect([...(await database.expectConsistent()).values()]).toEqual(['ada'])
    } finally {
      await keyward.stop()
      await database.close()
    }
  })
})

/** So many accounts that the copy of the file takes a while. */
const USERS = 20_000

/** A database of the first version, with accounts. */
async function oldDatabase(dialect: Dialect): Promise<string> {
  const url = await fresh(dialect)
  const { driver, rows, close } = await openUrl(url)
  await migrate(driver, embeddedMigrations(dialect.name).slice(0, 1), systemClock)
  const hash = await Bun.password.hash(password, { algorithm: 'bcrypt', cost: 4 })
  const numbers =
    dialect.name === 'sqlite'
      ? `WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < ${USERS})`
      : `WITH numbers AS (SELECT n FROM generate_series(1, ${USERS}) AS n)`
  const columns =
    'email, email_key, username, username_key, password_hash, password_scheme, is_active, session_epoch, created_at, updated_at'
  await rows(
    `INSERT INTO users (${columns}) ${numbers} SELECT 'user' || n || '@example.com', 'user' || n || '@example.com',
    'user' || n, 'user' || n, '${hash}', 'bun-bcrypt', true, 0, 0, 0 FROM numbers`,
  )
  await close()
  return url
}

describeEachDialect('kill -9 while a database is upgraded', (dialect) => {
  test('leaves the old or the new schema, and the next start completes it', async () => {
    const template = await oldDatabase(dialect)
    const within = await timeOfStart(dialect, template)
    const databaseUrl = await fresh(dialect, template)
    expect(await killWhileStarting(databaseUrl, { kills: 6, within })).toBeGreaterThan(1)
    const keyward = await startBinary({ databaseUrl })
    try {
      const token = await tokenOf(logIn(keyward, `user${USERS}`))
      expect(await (await keyward.request('GET', '/users/me', { token })).json()).toMatchObject({ id: USERS })
      expect((await register(keyward, 'ada')).status).toBe(201)
      expect((await keyward.request('GET', '/readyz')).status).toBe(200)
      if (dialect.name === 'sqlite') expectWholeCopy(sqliteFile(databaseUrl))
    } finally {
      await keyward.stop()
    }
  })

  if (dialect.name !== 'sqlite') return

  test('leaves no incomplete copy of the file', async () => {
    const databaseUrl = await fresh(dialect, await oldDatabase(dialect))
    const file = sqliteFile(databaseUrl)
    const partial = `${copyOf(file)}.partial`
    const kill = new AbortController()
    const killed = serveUntil(kill.signal, databaseUrl)
    while (!existsSync(partial)) await new Promise((resolve) => setImmediate(resolve))
    kill.abort()
    expect((await killed).exitCode).toBe(128 + 9)
    expect(existsSync(copyOf(file))).toBe(false)
    const keyward = await startBinary({ databaseUrl })
    await keyward.stop()
    expectWholeCopy(file)
  })
})

const copyOf = (file: string): string => `${file}.before-${embeddedMigrations('sqlite')[1]!.name}`

/** Checks that the one copy beside the file is the database of the old version, readable for its owner only. */
function expectWholeCopy(file: string): void {
  const copy = copyOf(file)
  const beside = readdirSync(dirname(file)).filter((name) => !/^users\.db(-wal|-shm)?$/.test(name))
  expect(beside).toEqual([basename(copy)])
  expect(statSync(copy).mode & 0o777).toBe(0o600)
  const old = new Database(copy, { readonly: true })
  expect(old.query('PRAGMA integrity_check').values()).toEqual([['ok']])
  expect(old.query('SELECT count(*) FROM users').values()).toEqual([[USERS]])
  expect(old.query('SELECT name FROM keyward_migrations').values()).toEqual([[embeddedMigrations('sqlite')[0]!.name]])
  old.close()
}

describeEachDialect('processes that start together on one empty database', (dialect) => {
  test('all serve, and accept each other’s tokens', async () => {
    for (let round = 0; round < 3; round++) {
      const databaseUrl = await fresh(dialect)
      const starts = await Promise.allSettled([1, 2, 3].map(() => startBinary({ databaseUrl })))
      const started = starts.flatMap((start) => (start.status === 'fulfilled' ? [start.value] : []))
      try {
        expect(starts.flatMap((start) => (start.status === 'rejected' ? [String(start.reason)] : []))).toEqual([])
        // Exactly one of several registrations of the same name, each at another process, succeeds.
        const race = await Promise.all(started.map((keyward) => register(keyward, 'ada')))
        expect(race.map(({ status }) => status).sort()).toEqual([201, 409, 409])
        for (const issuer of started) {
          const token = await tokenOf(logIn(issuer, 'ada'))
          const answers = await Promise.all(started.map((other) => other.request('GET', '/users/me', { token })))
          expect(answers.map(({ status }) => status)).toEqual([200, 200, 200])
        }
      } finally {
        await Promise.all(started.map((keyward) => keyward.stop()))
      }
    }
  })
})
