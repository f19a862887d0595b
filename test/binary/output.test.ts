import { expect, setDefaultTimeout, test } from 'bun:test'
import { binaryPath, type RunningBinary, serverSettings, startServer } from '../support/binary.ts'
import { hasPrograms } from '../support/programs.ts'
import { limitFiles } from '../support/small-disk.ts'

setDefaultTimeout(60_000)

/** A server that a shell starts as `$1`, so that its output goes where a test wants it; in an empty folder. */
const startIn = async (shell: string, env: Record<string, string> = {}): Promise<RunningBinary> =>
  startServer(['sh', '-c', shell, 'sh', await binaryPath()], { env: serverSettings({ env }) })

/** Passes two lines on, so that it is known when the server answers, and does `then` with the open pipe. */
const readTwoLines = (then: string) => `mkfifo pipe; (head -n 2; ${then}) <pipe & exec "$1" serve --dev >pipe`

const logLine = async (server: RunningBinary, requestId: string) =>
  (await server.request('GET', '/users/me', { headers: { 'x-request-id': requestId } })).status

test('LOG_FORMAT=auto is JSON in a pipe', async () => {
  const server = await startIn('exec "$1" serve', { LOG_FORMAT: 'auto', BCRYPT_COST: '10' })
  try {
    expect(JSON.parse(server.output().split('\n')[0]!)).toMatchObject({ level: 'info' })
  } finally {
    await server.stop()
  }
})

test.skipIf(!hasPrograms('script'))('LOG_FORMAT=auto is text on a terminal', async () => {
  const server = await startIn('exec script --quiet --return --command "$1 serve" /dev/null', {
    LOG_FORMAT: 'auto',
    BCRYPT_COST: '10',
  })
  try {
    expect(await logLine(server, 'seen')).toBe(401)
    await server.says(/^\d\d:\d\d:\d\d\.\d{3} INFO {2}request request_id=seen .* status=401 /m)
    expect(server.output()).not.toContain('{"time"')
  } finally {
    await server.stop()
  }
})

test.skipIf(!hasPrograms('prlimit'))('a log that cannot grow costs its lines and nothing else', async () => {
  const server = await startIn('touch log; tail --pid=$$ --follow log & exec "$1" serve --dev >>log')
  try {
    limitFiles(server.pid, '0')
    expect(await logLine(server, 'lost')).toBe(401)
    expect(await logLine(server, 'lost')).toBe(401)
    limitFiles(server.pid, 'unlimited')
    expect(await logLine(server, 'kept')).toBe(401)
    await server.says(/"request_id":"kept"/)
    expect(server.output()).not.toContain('"request_id":"lost"')
    server.signal('SIGTERM')
    expect(await server.exited).toBe(0)
  } finally {
    await server.stop()
  }
})

test('a log that nobody reads any longer stops nothing', async () => {
  const server = await startIn(readTwoLines('true'))
  try {
    for (let i = 0; i < 3; i++) expect(await logLine(server, 'lost')).toBe(401)
    server.signal('SIGTERM')
    expect(await server.exited).toBe(0)
  } finally {
    await server.stop()
  }
})

test('a log that is read no further holds up no answer and no stop', async () => {
  const server = await startIn(readTwoLines('touch empty; exec tail --pid=$$ --follow empty'))
  try {
    // A pipe holds 64 KiB, and each line of these is longer than 256 bytes.
    for (let i = 0; i < 400; i++) expect(await logLine(server, 'x'.repeat(128))).toBe(401)
    server.signal('SIGTERM')
    expect(await server.exited).toBe(0)
  } finally {
    await server.stop()
  }
})

test('a command whose output is lost says so and ends with 1', async () => {
  const child = Bun.spawn(['sh', '-c', '"$1" --help >/dev/full', 'sh', await binaryPath()], { stderr: 'pipe' })
  expect(await child.stderr.text()).toBe('The output could not be written (ENOSPC)\n')
  expect(await child.exited).toBe(1)
})
