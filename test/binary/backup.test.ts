import { Database } from 'bun:sqlite'
import { expect, setDefaultTimeout, test } from 'bun:test'
import { readdirSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { binaryPath, type RunningBinary, runBinary, serverSettings, startBinary } from '../support/binary.ts'
import { inspectDatabase } from '../support/consistency.ts'
import { accountOf, grant, me, statusOf } from '../support/outage.ts'
import { scratchFolder } from '../support/scratch.ts'

setDefaultTimeout(60_000)

const ada = accountOf('ada', 'secret 1 of the owner')
const grace = accountOf('grace', 'secret 2 of the owner')
const guide = join(import.meta.dir, '../../src/features/documentation/guide/running.md')

const databaseUrlIn = (folder: string) => `sqlite:///${join(folder, 'keyward.db')}`

test('12.C4, 14.6 the commands of "Back up and restore" do so for SQLite, and end the sessions', async () => {
  const [, chapter = ''] = (await Bun.file(guide).text()).split('## Back up and restore\n')
  const [backUp = '', restore = ''] = [...chapter.matchAll(/```console\n(.*?)```/gs)].map(([, commands]) => commands)
  const folder = scratchFolder('backup')
  const databaseUrl = databaseUrlIn(folder)
  const env = {
    ...serverSettings({ databaseUrl, args: [] }),
    PATH: `${dirname(await binaryPath())}:${process.env.PATH}`,
  }
  const shell = (commands: string) => {
    const { exitCode, stderr } = Bun.spawnSync(['/bin/sh', '-euc', commands], { cwd: folder, env })
    return [exitCode, `${stderr}`]
  }
  let keyward = await startBinary({ databaseUrl })
  try {
    expect(await statusOf(keyward, ada.register)).toBe(201)
    const { access_token } = await grant(keyward, ada.logIn)
    expect(shell(backUp)).toEqual([0, ''])
    expect(statSync(join(folder, 'keyward-backup.db')).mode & 0o777).toBe(0o600)
    expect(await statusOf(keyward, grace.register)).toBe(201)
    // The write-ahead log is left.
    keyward.signal('SIGKILL')
    await keyward.exited
    expect(shell(restore)).toEqual([0, ''])
    keyward = await startBinary({ databaseUrl })
    expect(await statusOf(keyward, me(access_token))).toBe(401)
    expect(await statusOf(keyward, ada.logIn)).toBe(200)
    expect(await statusOf(keyward, grace.logIn)).toBe(401)
  } finally {
    await keyward.stop()
  }
})

/** Registers users one after the other in several loops, until `stop`. `registered` has the names that were answered. */
function registerWithoutPause(keyward: RunningBinary) {
  const registered: string[] = []
  let going = true
  const loops = ['a', 'b', 'c', 'd'].map(async (loop) => {
    for (let count = 0; going; count++) {
      const account = accountOf(`user-${loop}${count}`, 'secret of somebody')
      expect(await statusOf(keyward, account.register)).toBe(201)
      registered.push(`user-${loop}${count}`)
      expect(await statusOf(keyward, account.logIn)).toBe(200)
    }
  })
  const stop = async () => {
    going = false
    await Promise.all(loops)
  }
  return { registered, stop }
}

test('14.6 T10: a backup during a write load restores to a consistent state with every answered registration', async () => {
  const [folder, other] = [scratchFolder('loaded'), scratchFolder('restored')]
  const databaseUrl = databaseUrlIn(folder)
  const env = serverSettings({ databaseUrl })
  const keyward = await startBinary({ databaseUrl })
  const load = registerWithoutPause(keyward)
  const backups: { file: string; before: string[] }[] = []
  try {
    for (let count = 0; count < 3; count++) {
      const most = load.registered.length + 20
      while (load.registered.length < most) await Promise.race([Bun.sleep(5), keyward.exited])
      const before = [...load.registered]
      const file = join(folder, `backup-${count}.db`)
      expect(await runBinary(['backup', file, '--dev'], { env })).toMatchObject({ exitCode: 0, stderr: '' })
      backups.push({ file, before })
      // A restore to the database of a running server changes nothing.
      const { exitCode, stderr } = await runBinary(['restore', file, '--dev'], { env })
      expect([exitCode, stderr]).toEqual([1, expect.stringContaining('Stop all processes of Keyward')])
    }
    await load.stop()
    expect(await statusOf(keyward, ['GET', '/readyz'])).toBe(200)
  } finally {
    await keyward.stop()
  }
  const inspector = inspectDatabase(databaseUrl)
  const all = new Set((await inspector.expectConsistent()).values())
  await inspector.close()
  expect(load.registered.filter((name) => !all.has(name))).toEqual([])

  for (const [count, { file, before }] of backups.entries()) {
    const target = `sqlite:///${join(other, `${count}.db`)}`
    const restored = await runBinary(['restore', file, '--dev'], { env: serverSettings({ databaseUrl: target }) })
    expect(restored).toMatchObject({ exitCode: 0, stderr: '' })
    const inspector = inspectDatabase(target)
    const names = new Set((await inspector.expectConsistent()).values())
    await inspector.close()
    expect(before.filter((name) => !names.has(name))).toEqual([])
    expect(names.size).toBeLessThan(all.size)
  }
  expect(readdirSync(other).sort()).toEqual(['0.db', '1.db', '2.db'])

  const target = `sqlite:///${join(other, '0.db')}`
  const again = await startBinary({ databaseUrl: target })
  try {
    const account = accountOf(backups[0]!.before.at(-1)!, 'secret of somebody')
    expect(await statusOf(again, account.logIn)).toBe(200)
    expect(await statusOf(again, ada.register)).toBe(201)
  } finally {
    await again.stop()
  }
})

test('14.6 a backup that was killed leaves a file that a backup to the same folder removes after an hour', async () => {
  const [folder, backups] = [scratchFolder('killed'), scratchFolder('backups')]
  const databaseUrl = databaseUrlIn(folder)
  const env = serverSettings({ databaseUrl })
  expect((await runBinary(['migrate', 'up', '--dev'], { env })).exitCode).toBe(0)
  const db = new Database(join(folder, 'keyward.db'))
  db.run(`
    INSERT INTO audit_events (at, event, details)
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200000)
    SELECT i, 'user.registered', '{}' FROM n`)
  db.close()
  const kill = new AbortController()
  const killed = runBinary(['backup', join(backups, 'first.db'), '--dev'], { env, kill: kill.signal })
  while (readdirSync(backups).length === 0) await Bun.sleep(1)
  kill.abort()
  expect((await killed).exitCode).not.toBe(0)
  const left = readdirSync(backups)
  expect(left.length).toBeGreaterThan(0)
  for (const name of left) expect(name).toMatch(/^first\.db\.keyward-.{8}\.partial/)

  const backUp = async (name: string) =>
    expect(await runBinary(['backup', join(backups, name), '--dev'], { env })).toMatchObject({
      exitCode: 0,
      stderr: '',
    })
  // Another command may still write to it.
  await backUp('second.db')
  expect(readdirSync(backups).sort()).toEqual([...left, 'second.db'].sort())
  writeFileSync(join(backups, 'film.mp4.partial'), '')
  for (const name of readdirSync(backups)) utimesSync(join(backups, name), 1_000, 1_000)
  await backUp('third.db')
  expect(readdirSync(backups).sort()).toEqual(['film.mp4.partial', 'second.db', 'third.db'])
})
