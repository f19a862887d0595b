import { Database } from 'bun:sqlite'
import { expect, setDefaultTimeout, test } from 'bun:test'
import { join } from 'node:path'
import { binaryPath, type RunningBinary, runBinary, serverSettings, startBinary } from '../support/binary.ts'
import { inspectDatabase } from '../support/consistency.ts'
import { type Dialect, dialects, sqliteFile } from '../support/dialects.ts'
import { accountOf, grant, me, refresh, statusOf } from '../support/outage.ts'
import { registerWithoutPause } from '../support/registrations.ts'
import { scratchFolder } from '../support/scratch.ts'

setDefaultTimeout(120_000)

const ada = accountOf('ada', 'secret 1 of the owner')

const addresses = (from: string, to: string) => ({
  ...serverSettings({ databaseUrl: from }),
  OLD_URL: from,
  NEW_URL: to,
})
const words = ['copy', '--from', 'OLD_URL', '--to', 'NEW_URL', '--dev']

/** Starts `copy --keep-locked`. `done` resolves when the new database is complete and the old one still locked. */
async function startCopy(from: string, to: string) {
  const child = Bun.spawn([await binaryPath(), ...words, '--keep-locked', '--json'], {
    cwd: scratchFolder('cwd'),
    env: { ...addresses(from, to), PATH: process.env.PATH! },
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'pipe',
  })
  let err = ''
  const locked = Promise.withResolvers<void>()
  const done = Promise.withResolvers<void>()
  const reading = (async () => {
    for await (const chunk of child.stderr) {
      err += Buffer.from(chunk).toString()
      if (err.includes('is locked until the copy ends')) locked.resolve()
      if (err.includes('stays locked. Stop its servers')) done.resolve()
    }
    locked.reject(new Error(err))
    done.reject(new Error(err))
  })()
  reading.catch(() => {})
  return {
    child,
    locked: locked.promise,
    done: done.promise,
    async end() {
      child.kill('SIGTERM')
      expect(await child.exited).toBe(0)
      return JSON.parse(await child.stdout.text()) as { rows: number }
    },
  }
}

const pairs: [Dialect, Dialect][] = dialects.map((dialect, at) => [dialect, dialects.at(at - 1)!])

test.each(pairs.map(([from, to]) => [`${from.name} to ${to.name}`, from, to] as const))(
  '14.6 a copy from %s while a server writes loses nothing that was answered, and sessions go on at the new database',
  async (_, fromDialect, toDialect) => {
    const [from, to] = [(await fromDialect.databaseUrl()).url, (await toDialect.databaseUrl()).url]
    const server = await startBinary({ databaseUrl: from })
    let next: RunningBinary | undefined
    try {
      expect(await statusOf(server, ada.register)).toBe(201)
      const session = await grant(server, ada.logIn)
      const load = registerWithoutPause(server)
      while (load.answered.length < 60) await Bun.sleep(5)
      const copy = await startCopy(from, to)
      await copy.done
      const before = load.answered.length
      // The old database is still locked: writes are refused, and what needs none is answered.
      while (load.others.length < 4) await Bun.sleep(20)
      expect(await statusOf(server, me(session.access_token))).toBe(200)
      await load.stop()
      expect(new Set(load.others)).toEqual(new Set([503]))
      expect(load.answered.length).toBe(before)
      await server.stop()
      expect((await copy.end()).rows).toBeGreaterThan(load.answered.length)

      next = await startBinary({ databaseUrl: to })
      const inspector = inspectDatabase(to)
      const names = new Set((await inspector.expectConsistent()).values())
      await inspector.close()
      expect(load.answered.filter((name) => !names.has(name))).toEqual([])
      expect(await statusOf(next, me(session.access_token))).toBe(200)
      expect(await statusOf(next, refresh(session.refresh_token))).toBe(200)
      const registered = await next.request(...accountOf('later', 'secret of somebody').register)
      const { id } = (await registered.json()) as { id: number }
      expect(id).toBeGreaterThan(load.answered.length)
    } finally {
      await server.stop()
      await next?.stop()
    }
  },
)

test.each(dialects.map((dialect) => [dialect.name, dialect] as const))(
  '14.6 a copy to %s that is killed leaves an empty database, and can be repeated',
  async (_, dialect) => {
    const from = `sqlite:///${join(scratchFolder('copy'), 'old.db')}`
    expect((await runBinary(['migrate', 'up', '--dev'], { env: addresses(from, from) })).exitCode).toBe(0)
    const old = new Database(sqliteFile(from))
    old.run(`
      INSERT INTO audit_events (at, event, details)
      WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 150000)
      SELECT i, 'user.registered', '{}' FROM n`)
    old.close()
    const { url: to } = await dialect.databaseUrl()
    for (const pause of [0, 200, 600]) {
      const copy = await startCopy(from, to)
      copy.done.catch(() => {})
      await copy.locked
      await Bun.sleep(pause)
      copy.child.kill('SIGKILL')
      await copy.child.exited
    }
    const whole = await runBinary([...words, '--json'], { env: addresses(from, to) })
    expect(whole.exitCode).toBe(0)
    expect(JSON.parse(whole.stdout)).toMatchObject({ rows: 150_002 })
  },
)
