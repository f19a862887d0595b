import { expect, setDefaultTimeout, test } from 'bun:test'
import { chmodSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { testSecret } from '../support/app.ts'
import { binaryPath, copyBinary, runBinary } from '../support/binary.ts'
import { accountOf, expectRefused } from '../support/outage.ts'
import { scratchFolder } from '../support/scratch.ts'
import { smallDisk } from '../support/small-disk.ts'

setDefaultTimeout(60_000)

const env = (file: string) => ({
  DATABASE_URL: `sqlite:///${file}`,
  SECRET_KEY: testSecret,
  HOST: '127.0.0.1',
  PORT: '0',
})
const serve = ['serve']
const list = ['users', 'list']

interface Ended {
  exitCode: number
  stderr: string
}

/** Runs a command line in a shell, with Keyward as `$0` and its arguments behind; it ends on its own. */
async function inShell(prepare: string, args: string[], file: string): Promise<Ended> {
  const child = Bun.spawn(['/bin/sh', '-c', `${prepare} exec "$0" "$@"`, await binaryPath(), ...args], {
    cwd: scratchFolder('cwd'),
    env: { PATH: process.env.PATH ?? '', ...env(file) },
    stdout: 'ignore',
    stderr: 'pipe',
  })
  const [exitCode, stderr] = await Promise.all([child.exited, child.stderr.text()])
  return { exitCode, stderr }
}

test('12.C3 too many open files are named, with the limit to raise', async () => {
  const file = join(scratchFolder('open'), 'users.db')
  expect((await runBinary(['migrate', 'up'], { env: env(file) })).exitCode).toBe(0)
  // How many files the runtime has open differs by system. The first that is missing is one of the database.
  let refused: Ended | undefined
  for (let taken = '', next = 3; next <= 9 && !refused; next++) {
    taken += ` ${next}</dev/null`
    const ended = await inShell(`exec${taken}; ulimit -n 14;`, list, file)
    if (ended.exitCode !== 0) refused = ended
  }
  expect(refused).toEqual({
    exitCode: 1,
    stderr: `Cannot open ${file}: this process has too many open files; raise the limit (ulimit -n, LimitNOFILE= of systemd) (EMFILE)\n`,
  })
})

test.each([serve, list])('12.C3 a read-only file system is named, with what to do (%s)', async (...args) => {
  const folder = scratchFolder('read-only')
  const file = join(folder, 'users.db')
  expect((await runBinary(['migrate', 'up'], { env: env(file) })).exitCode).toBe(0)
  const mount = `mount --bind "${folder}" "${folder}" && mount -o remount,bind,ro "${folder}" &&`
  const user = process.getuid?.() === 0 ? [] : ['--map-root-user']
  const enter = ['unshare', '--mount', '--propagation', 'private', ...user]
  // Where no file system can be mounted, the other tests cover the sentences.
  if (Bun.spawnSync([...enter, '/bin/sh', '-c', `${mount} true`]).exitCode !== 0) return
  const child = Bun.spawn([...enter, '/bin/sh', '-c', `${mount} exec "$0" "$@"`, await binaryPath(), ...args], {
    cwd: scratchFolder('cwd'),
    env: { PATH: process.env.PATH ?? '', ...env(file) },
    stdout: 'ignore',
    stderr: 'pipe',
  })
  expect(await child.stderr.text()).toBe(
    `Cannot open ${file}: the file system is read-only; use a folder on a writable one, or mount this one writable (EROFS)\n`,
  )
  expect(await child.exited).toBe(1)
})

test('12.C3 a missing permission is named, with what to do', async () => {
  const folder = scratchFolder('permission')
  const file = join(folder, 'inside', 'users.db')
  mkdirSync(join(folder, 'inside'), { mode: 0o700 })
  const sentence = `Cannot open ${file}: no permission; give it to the user of this process (chown, chmod) (EACCES)\n`
  if (process.getuid?.() !== 0) {
    chmodSync(join(folder, 'inside'), 0o500)
    expect(await inShell('', serve, file)).toEqual({ exitCode: 1, stderr: sentence })
    return
  }
  const installed = await copyBinary(join(folder, 'installed'))
  for (const path of [folder, join(folder, 'installed')]) chmodSync(path, 0o755)
  const child = Bun.spawn(['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups', installed, ...serve], {
    cwd: '/',
    env: env(file),
    stdout: 'ignore',
    stderr: 'pipe',
  })
  expect(await child.stderr.text()).toBe(sentence)
})

test('12.C3 the log of a running server names a full disk and what to do', async () => {
  const disk = await smallDisk()
  // As above.
  if (disk === undefined) return
  const keyward = await disk.start()
  try {
    disk.fail(keyward)
    await expectRefused(keyward, 'database_unavailable', accountOf('ada', 'secret 1 of the owner').register)
    await keyward.says(/"reason":"The file in DATABASE_URL cannot grow: the disk is full; free space \(SQLITE_FULL\)"/)
  } finally {
    await keyward.stop()
    await disk.dispose()
  }
})
