import { Database } from 'bun:sqlite'
import { expect, setDefaultTimeout, test } from 'bun:test'
import { chmodSync, chownSync } from 'node:fs'
import { join } from 'node:path'
import { openUrl } from '../storage/support.ts'
import {
  copyBinary,
  type RunningBinary,
  runBinary,
  serverSettings,
  startBinary,
  startServer,
} from '../support/binary.ts'
import { inspectDatabase } from '../support/consistency.ts'
import {
  accountOf,
  becomesReady,
  expectNotReady,
  expectRefused,
  grant,
  logOut,
  me,
  pollLivez,
  readyz,
  refresh,
  revoke,
  type Sent,
  statusOf,
} from '../support/outage.ts'
import { startPostgres } from '../support/postgres.ts'
import { scratchFolder } from '../support/scratch.ts'
import { expectCleanLog } from '../support/server-log.ts'

setDefaultTimeout(120_000)

// In parallel, because these tests mostly wait for time limits of the service.

const password = 'secret 1 of the owner'
const changed = 'secret 2 of the owner'
const ada = accountOf('ada', password)
const SECONDS = 1_000

/** Ada with spare sessions, and requests for them that each work once. */
async function writesOfAda(keyward: RunningBinary): Promise<{ token: string; writes: [Sent, number][] }> {
  const [one, two, three] = [
    await grant(keyward, ada.logIn),
    await grant(keyward, ada.logIn),
    await grant(keyward, ada.logIn),
  ]
  return {
    token: one.access_token,
    writes: [
      [accountOf(`friend-of-${one.access_token.slice(-12).replaceAll(/[^a-zA-Z0-9]/g, 'x')}`, password).register, 201],
      [ada.logIn, 200],
      [refresh(one.refresh_token), 200],
      [logOut(two.access_token), 204],
      [revoke(three.refresh_token), 200],
    ],
  }
}

test.concurrent('a file locked by another process: writes are refused after 3 seconds, everything else goes on', async () => {
  const file = join(scratchFolder('held'), 'users.db')
  const keyward = await startBinary({ databaseUrl: `sqlite:///${file}` })
  const other = new Database(file)
  try {
    expect(await statusOf(keyward, ada.register)).toBe(201)
    const before = await writesOfAda(keyward)
    const after = await writesOfAda(keyward)

    const begun = performance.now()
    other.run('BEGIN IMMEDIATE')
    const life = pollLivez(keyward)
    let settled = 0
    const waiting = Promise.all(
      before.writes.map(async ([write, expected]) => {
        const status = await statusOf(keyward, write)
        settled++
        return [write[1], status, expected]
      }),
    )
    waiting.catch(() => {})
    const held = Bun.sleep(2 * SECONDS)
    expect(await statusOf(keyward, me(before.token))).toBe(200)
    await held
    const late = performance.now() - begun > 2.5 * SECONDS
    if (!late) expect(settled).toBe(0)
    other.run('COMMIT')
    // If the machine was stalled, the 3 seconds may have passed.
    for (const [path, status, expected] of await waiting)
      if (!late || status !== 503) expect([path, status]).toEqual([path, expected])

    other.run('BEGIN IMMEDIATE')
    const end = performance.now() + 10 * SECONDS
    while (performance.now() < end - 4 * SECONDS)
      await Promise.all([
        ...after.writes.map(([write]) => expectRefused(keyward, 'database_busy', write)),
        expectRefused(keyward, 'database_busy', ada.changePassword(after.token, changed)),
        expectNotReady(keyward, 'Not ready: the database does not take writes'),
        statusOf(keyward, me(after.token)).then((status) => expect(status).toBe(200)),
      ])
    await Bun.sleep(Math.max(0, end - performance.now()))
    other.run('COMMIT')
    await becomesReady(keyward)
    for (const [write, expected] of after.writes)
      expect([write[1], await statusOf(keyward, write)]).toEqual([write[1], expected])
    expect(await life.stop()).toBeGreaterThan(20)
    keyward.signal('SIGTERM')
    expect(await keyward.exited).toBe(0)
    expectCleanLog(keyward.output(), [password, changed])
  } finally {
    other.close()
    await keyward.stop()
  }
})

test.concurrent('a PostgreSQL that crashes or hangs: 503 in time, and recovery without a restart', async () => {
  const server = await startPostgres({ durable: true })
  const { url: databaseUrl } = await server.createDatabase()
  const keyward = await startBinary({ databaseUrl })
  const soon = () => AbortSignal.timeout(15 * SECONDS)
  const expectRecovery = async () => {
    const deadline = soon()
    while ((await statusOf(keyward, readyz)) !== 200) {
      deadline.throwIfAborted()
      await Bun.sleep(50)
    }
    expect(await statusOf(keyward, ada.logIn)).toBe(200)
  }
  try {
    expect(await statusOf(keyward, ada.register)).toBe(201)
    const { token, writes } = await writesOfAda(keyward)
    const life = pollLivez(keyward)

    const crowd = registerCrowd(keyward)
    await crowd.reached(20)
    const orphans = await backends(databaseUrl)
    server.signal('SIGKILL')
    await server.exited()
    // The connections would notice it a moment later, and work until then.
    for (const pid of orphans) kill(pid)
    for (const [write] of writes) await expectRefused(keyward, 'database_unavailable', write)
    await expectRefused(keyward, 'database_unavailable', me(token))
    await expectNotReady(keyward, 'Not ready: the database does not take writes; the database cannot be read')
    await server.restart()
    await expectRecovery()
    const answered = await crowd.stop()
    for (const username of answered)
      expect([username, await statusOf(keyward, accountOf(username, password).logIn)]).toEqual([username, 200])

    const processes = await backends(databaseUrl)
    for (const pid of processes) process.kill(pid, 'SIGSTOP')
    server.signal('SIGSTOP')
    const options = { signal: soon() }
    const refused = Promise.all(
      [...writes.map(([write]) => write), me(token)].map((sent) => inTime(keyward, sent, options.signal)),
    )
    await expectNotReady(keyward, 'Not ready: the database does not answer')
    expect(new Set(await refused)).toEqual(new Set([503]))
    server.signal('SIGCONT')
    for (const pid of processes) process.kill(pid, 'SIGCONT')
    await expectRecovery()
    expect(await statusOf(keyward, me(token))).toBe(200)

    expect(await life.stop()).toBeGreaterThan(20)
    keyward.signal('SIGTERM')
    expect(await keyward.exited).toBe(0)
    expectCleanLog(keyward.output(), [password])
    const database = inspectDatabase(databaseUrl)
    await database.untilAbandoned()
    const accounts = [...(await database.expectConsistent()).values()]
    await database.close()
    for (const username of answered) expect(accounts).toContain(username)
  } finally {
    await keyward.stop()
    server.signal('SIGKILL')
  }
})

const inTime = async (keyward: RunningBinary, sent: Sent, signal: AbortSignal): Promise<number> => {
  const late = new Promise<never>((_, reject) => signal.addEventListener('abort', () => reject(new Error('too late'))))
  return Promise.race([statusOf(keyward, sent), late])
}

/** Registers users one after the other until `stop`, which returns those that were answered. */
function registerCrowd(keyward: RunningBinary) {
  const answered: string[] = []
  let going = true
  const people = Promise.all(
    Array.from({ length: 4 }, async (_, lane) => {
      for (let person = 0; going; person++) {
        const username = `person-${lane}-${person}`
        const status = await statusOf(keyward, accountOf(username, password).register)
        if (status === 201) answered.push(username)
        else {
          expect(status).toBe(503)
          await Bun.sleep(20)
        }
      }
    }),
  )
  // Only `stop` awaits it, and a test that fails earlier never calls `stop`.
  people.catch(() => {})
  return {
    async reached(count: number) {
      while (answered.length < count) await Bun.sleep(2)
    },
    async stop() {
      going = false
      await people
      return answered
    },
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch (error) {
    if ((error as { code?: string }).code !== 'ESRCH') throw error
  }
}

/** The server processes of Keyward's connections. */
async function backends(databaseUrl: string): Promise<number[]> {
  const { rows, close } = await openUrl(databaseUrl, { poolSize: 1 })
  const sql = 'SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()'
  try {
    return (await rows(sql)).map(([pid]) => Number(pid))
  } finally {
    await close()
  }
}

test.concurrent('a read-only file or folder: the start fails with a sentence, and a running server answers no false success', async () => {
  const folder = scratchFolder('unwritable')
  const file = join(folder, 'users.db')
  const executable = await copyBinary()
  // File modes do not restrict root.
  const nobody = process.getuid?.() === 0 ? ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'] : []
  if (nobody.length > 0) chownSync(folder, 65534, 65534)
  const [program, ...args] = [...nobody, executable, 'serve', '--dev']
  const env = serverSettings({ databaseUrl: `sqlite:///${file}` })
  const start = () => startServer([program!, ...args], { env })
  const modes = (ofFile: number, ofFolder: number) => {
    chmodSync(file, ofFile)
    chmodSync(folder, ofFolder)
  }
  let keyward = await start()
  try {
    expect(await statusOf(keyward, ada.register)).toBe(201)
    modes(0o444, 0o555)
    const grace = accountOf('grace', password)
    const status = await statusOf(keyward, grace.register)
    expect([201, 503]).toContain(status)
    keyward.signal('SIGTERM')
    expect(await keyward.exited).toBe(0)
    expectCleanLog(keyward.output(), [password])
    const refused = () => runBinary(args, { executable: program!, env, kill: AbortSignal.timeout(30 * SECONDS) })
    expect(await refused()).toEqual({
      exitCode: 1,
      stdout: '',
      stderr: `Cannot open ${file}: no permission; give it to the user of this process (chown, chmod) (EACCES)\n`,
    })

    modes(0o600, 0o755)
    keyward = await start()
    expect(await statusOf(keyward, ada.logIn)).toBe(200)
    expect(await statusOf(keyward, grace.logIn)).toBe(status === 201 ? 200 : 401)
    keyward.signal('SIGTERM')
    expect(await keyward.exited).toBe(0)
    modes(0o600, 0o555)
    expect(await refused()).toEqual({
      exitCode: 1,
      stdout: '',
      stderr:
        'The file in DATABASE_URL is in a folder without write permission; give it to the user of this process (chown, chmod) (SQLITE_READONLY_DIRECTORY)\n',
    })
  } finally {
    await keyward.stop()
  }
})
