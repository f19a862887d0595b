import { Database } from 'bun:sqlite'
import { expect, setDefaultTimeout, test } from 'bun:test'
import { closeSync, constants, openSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { binaryPath, type RunningBinary, runBinary, serverSettings, startServer } from '../support/binary.ts'
import { hasPrograms } from '../support/programs.ts'
import { scratchFolder } from '../support/scratch.ts'
import { limitFiles } from '../support/small-disk.ts'

setDefaultTimeout(60_000)

/** A server that a shell starts as `$1`, so that a test can redirect its output. */
const startIn = async (cwd: string, shell: string, env: Record<string, string> = {}): Promise<RunningBinary> =>
  startServer(['sh', '-c', shell, 'sh', await binaryPath()], { cwd, env: serverSettings({ env }) })

/** Sends a request that is refused, so that only the log is written. */
async function ask(server: RunningBinary, requestId: string, times = 1): Promise<void> {
  for (let i = 0; i < times; i++) {
    const { status } = await server.request('GET', '/users/me', { headers: { 'x-request-id': requestId } })
    expect(status).toBe(401)
  }
}

async function expectStop(server: RunningBinary): Promise<void> {
  server.signal('SIGTERM')
  expect(await server.exited).toBe(0)
}

/** A server whose log is not read from the third line on, until `close` closes the reader. */
async function startUnread(): Promise<{ server: RunningBinary; close(): void }> {
  const cwd = scratchFolder('unread')
  Bun.spawnSync(['mkfifo', join(cwd, 'pipe')])
  const reader = openSync(join(cwd, 'pipe'), constants.O_RDONLY | constants.O_NONBLOCK)
  const server = await startIn(cwd, 'head -n 2 <pipe & exec "$1" serve --dev >pipe')
  return { server, close: () => closeSync(reader) }
}

/** The length of a line per request: 400 of them exceed the 64 KiB of a pipe. */
const LONG_ID = 'x'.repeat(128)

const atProductionCost = { LOG_FORMAT: 'auto', BCRYPT_COST: '10' }

test('LOG_FORMAT=auto is JSON in a pipe', async () => {
  const server = await startIn(scratchFolder('cwd'), 'exec "$1" serve', atProductionCost)
  try {
    expect(JSON.parse(server.output().split('\n')[0]!)).toMatchObject({ level: 'info' })
  } finally {
    await server.stop()
  }
})

test.skipIf(!hasPrograms('script'))('LOG_FORMAT=auto is text on a terminal', async () => {
  const shell = 'exec script --quiet --return --command "$1 serve" /dev/null'
  const server = await startIn(scratchFolder('cwd'), shell, atProductionCost)
  try {
    await ask(server, 'seen')
    await server.says(/^\d\d:\d\d:\d\d\.\d{3} INFO {2}request request_id=seen .* status=401 /m)
    expect(server.output()).not.toContain('{"time"')
  } finally {
    await server.stop()
  }
})

test.skipIf(!hasPrograms('prlimit'))('a log that cannot grow loses its lines and nothing else', async () => {
  const cwd = scratchFolder('cwd')
  const log = join(cwd, 'log')
  const server = await startIn(cwd, 'touch log; tail --pid=$$ --follow log & exec "$1" serve --dev >>log')
  try {
    // In the middle of a line, as with a full disk.
    limitFiles(server.pid, statSync(log).size + 50)
    await ask(server, 'lost', 3)
    // An answer may arrive before its line is written. When the next request is answered, the lines above were written.
    await ask(server, 'either')
    limitFiles(server.pid, 'unlimited')
    await ask(server, 'kept')
    await server.says(/"request_id":"kept"/)
    await expectStop(server)
    const lines = readFileSync(log, 'utf8').split('\n').filter(Boolean)
    const whole = lines.filter((line) => line.endsWith('}')).map((line) => JSON.parse(line) as Record<string, unknown>)
    expect(whole.length).toBe(lines.length - 1)
    const ids = whole.map(({ request_id }) => request_id).filter((id) => id !== undefined && id !== 'either')
    expect(ids).toEqual(['kept'])
  } finally {
    await server.stop()
  }
})

test('a log whose reader pauses delays no answer and no stop', async () => {
  const { server, close } = await startUnread()
  try {
    await ask(server, LONG_ID, 400)
    await expectStop(server)
  } finally {
    close()
    await server.stop()
  }
})

test('a log whose reader goes away does not stop the server', async () => {
  const { server, close } = await startUnread()
  try {
    await ask(server, LONG_ID, 400)
    close()
    await ask(server, LONG_ID, 3)
    await expectStop(server)
  } finally {
    await server.stop()
  }
})

test('a command waits until its whole output is read', async () => {
  const cwd = scratchFolder('cwd')
  const env = { ...serverSettings({}), DATABASE_URL: 'sqlite:///./users.db', LOG_FORMAT: 'text' }
  expect((await runBinary(['migrate', 'up', '--dev'], { cwd, env })).exitCode).toBe(0)
  fillWithUsers(join(cwd, 'users.db'), 20_000)
  const { exitCode, stdout } = await runBinary(['users', 'list', '--dev'], { cwd, env })
  expect(exitCode).toBe(0)
  expect(stdout.match(/^ *\d+ {2}user\d+ /gm)).toHaveLength(20_000)
})

test('a command whose output is lost says so and exits with 1', async () => {
  const child = Bun.spawn(['sh', '-c', '"$1" --help >/dev/full', 'sh', await binaryPath()], { stderr: 'pipe' })
  expect(await child.stderr.text()).toBe('The output could not be written: the disk is full; free space (ENOSPC)\n')
  expect(await child.exited).toBe(1)
})

function fillWithUsers(file: string, count: number): void {
  using db = new Database(file)
  db.run(
    `WITH RECURSIVE n (id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM n WHERE id < ?)
     INSERT INTO users (id, email, email_key, username, username_key, is_active, session_epoch, created_at, updated_at)
     SELECT id, id || '@example.com', id || '@example.com', 'user' || id, 'user' || id, 1, 0, 0, 0 FROM n`,
    [count],
  )
}
