import { afterEach, describe, expect, test } from 'bun:test'
import { connect } from 'node:net'
import type { ProcessContext } from '../../src/cli/context.ts'
import { run } from '../../src/cli/run.ts'
import { nextTurn } from '../../src/lib/clock.ts'
import { createTestApp, testSecret } from '../support/app.ts'
import { type ManualClock, manualClock } from '../support/clock.ts'
import { seededRandom } from '../support/random.ts'
import { scratchFolder } from '../support/scratch.ts'

const ends: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const end of ends.splice(0)) await end()
})

describe('the start', () => {
  test('12.D3 logs one short line, and its first address leads a browser to the account', async () => {
    const { log, port } = await serve({ DATABASE_URL: `sqlite:///${scratchFolder('db')}/users.db` })
    const started = log().find(({ event }) => event === 'started')!
    expect(Object.entries(started)).toEqual([
      ['time', '2026-01-01T00:00:00.000Z'],
      ['level', 'info'],
      ['event', 'started'],
      ['url', `http://localhost:${port}`],
      ['version', '9.9.9'],
      ['database', expect.stringMatching(/^sqlite:\/\/\/\/.*users\.db$/)],
    ])
    const first = await fetch(`${started.url}`, { headers: { accept: 'text/html' } })
    expect(first.url).toStartWith(`http://localhost:${port}/sign-in?request=`)
  })

  test('logs PUBLIC_URL when clients use another address', async () => {
    const { log } = await serve({ PUBLIC_URL: 'https://auth.example.com' })
    expect(log().find(({ event }) => event === 'started')).toMatchObject({ public_url: 'https://auth.example.com' })
  })

  test('12.D3 with --dev the log shows a path that matched no route, as typed; without it does not', async () => {
    const paths = async (args: string[]) => {
      const { log, port } = await serve({ BCRYPT_COST: '10' }, args)
      await fetch(`http://localhost:${port}/regsiter?token=secret`)
      return log()
        .filter(({ event }) => event === 'request')
        .map(({ path, route }) => [path, route])
    }
    expect(await paths(['--dev'])).toEqual([['/regsiter', 'unmatched']])
    expect(await paths([])).toEqual([[undefined, 'unmatched']])
  })

  test('with PORT=0 PUBLIC_URL contains the port that the system chose, unless it is set', async () => {
    const chosen = await serve()
    expect(await issuerOf(chosen.port)).toBe(`http://localhost:${chosen.port}`)
    const set = await serve({ PUBLIC_URL: 'https://auth.example.com' })
    expect(await issuerOf(set.port)).toBe('https://auth.example.com')
  })

  test('warns in production about a PUBLIC_URL that only this machine can reach', async () => {
    const warned = async (env: Record<string, string>, args?: string[]) =>
      (await serve(env, args)).log().some(({ event, level }) => event === 'public_url_is_local' && level === 'warn')
    const production = { BCRYPT_COST: '10' }
    expect(await warned(production, [])).toBe(true)
    expect(await warned({ ...production, PUBLIC_URL: 'http://127.0.0.1:8000' }, [])).toBe(true)
    expect(await warned({ ...production, PUBLIC_URL: 'https://auth.example.com' }, [])).toBe(false)
    expect(await warned({}, ['--dev'])).toBe(false)
  })
})

test('a start warns of passkeys that no browser can use', async () => {
  const app = await createTestApp()
  ends.push(app.close)
  const ada = await app.signUp()
  await app.factors.addPasskey(ada.id)
  const warned = async (env: Record<string, string>) =>
    (await serve({ DATABASE_URL: app.databaseUrl, ...env }))
      .log()
      .filter(({ event }) => `${event}`.startsWith('passkeys_'))
  expect(await warned({ PUBLIC_URL: 'http://localhost:8000' })).toEqual([])
  const url = 'https://auth.example.com'
  expect(await warned({ PUBLIC_URL: url })).toEqual([
    expect.objectContaining({
      level: 'warn',
      event: 'passkeys_of_another_domain',
      domain: 'auth.example.com',
      passkeys: 1,
      accounts_without_factor: 1,
    }),
  ])
  expect(await warned({ PUBLIC_URL: url, PASSKEYS: 'off' })).toEqual([])
  const [first] = await warned({ PUBLIC_URL: 'http://127.0.0.1:8000' })
  expect(first).toMatchObject({ event: 'passkeys_without_domain' })
})

describe('12.B8 M3: Keep-Alive', () => {
  test.each([
    ['75 s', {}, '75'],
    ['IDLE_TIMEOUT_SECONDS', { IDLE_TIMEOUT_SECONDS: '120' }, '120'],
  ])('says %s in answers and in refusals', async (_, env: Record<string, string>, seconds) => {
    const { port } = await serve(env)
    for (const [path, method] of [
      ['/livez', 'GET'],
      ['/livez', 'HEAD'],
      ['/users/me', 'GET'],
      ['/users/me', 'DELETE'],
      ['/nowhere', 'GET'],
      ['/token', 'POST'],
    ] as const) {
      const { headers } = await fetch(`http://127.0.0.1:${port}${path}`, { method })
      expect([path, method, headers.get('keep-alive')]).toEqual([path, method, `timeout=${seconds}`])
    }
  })

  test('is missing when the client closes the connection', async () => {
    const { port } = await serve()
    for (const value of ['close', 'Close', 'TE, close']) {
      const headers = { connection: value }
      expect((await fetch(`http://127.0.0.1:${port}/livez`, { headers })).headers.get('keep-alive')).toBeNull()
    }
  })
})

describe('a signal to stop', () => {
  test('T7: keeps serving for SHUTDOWN_DELAY_SECONDS, finishes running requests, then exits with 0', async () => {
    const { port, clock, stop, exit, log } = await serve({ SHUTDOWN_DELAY_SECONDS: '5' })
    const idle = await openConnection(port, 'GET /livez HTTP/1.1\r\nHost: keyward\r\n\r\n')
    await idle.says('"alive"')
    const body = JSON.stringify({ email: 'ada@example.com', username: 'ada', password: 'correct horse battery' })
    const running = await openConnection(
      port,
      `POST /register HTTP/1.1\r\nHost: keyward\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body.slice(0, 9)}`,
    )

    stop()
    await until(() => log().some(({ event }) => event === 'stopping'))
    const ready = await fetch(`http://127.0.0.1:${port}/readyz`)
    expect([ready.status, ((await ready.json()) as { code: string }).code]).toEqual([503, 'shutting_down'])
    await clock.advance(4_999)
    const late = await fetch(`http://127.0.0.1:${port}/users/me`)
    expect([late.status, late.headers.get('connection'), late.headers.get('keep-alive')]).toEqual([401, 'close', null])

    await clock.advance(1)
    await idle.closed
    await expect(fetch(`http://127.0.0.1:${port}/livez`, { keepalive: false })).rejects.toThrow()
    expect(log().some(({ event }) => event === 'stopped')).toBe(false)
    running.send(body.slice(9))
    await running.says('"username":"ada"')
    expect(running.received()).toStartWith('HTTP/1.1 201 Created')
    expect(await exit).toBe(0)
    expect(log().map(({ event }) => event)).toContain('stopped')
    expect(log().map(({ event }) => event)).not.toContain('requests_cut')
  })

  test('cuts requests that still run after 30 seconds', async () => {
    const { port, clock, stop, exit, log } = await serve({ SHUTDOWN_DELAY_SECONDS: '0' })
    const stuck = await openConnection(
      port,
      'POST /register HTTP/1.1\r\nHost: keyward\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{',
    )
    await until(() => log().length > 0)
    const first = await fetch(`http://127.0.0.1:${port}/livez`)
    expect(first.status).toBe(200)
    stop()
    await until(() => log().some(({ event }) => event === 'stopping'))
    await clock.advance(29_999)
    expect(log().some(({ event }) => event === 'stopped')).toBe(false)
    await clock.advance(1)
    expect(await exit).toBe(0)
    await stuck.closed
    expect(stuck.received()).toBe('')
    expect(log().find(({ event }) => event === 'requests_cut')).toMatchObject({ level: 'warn', requests: 1 })
  })
})

test('requests are cut before the service behind them is closed', async () => {
  const app = await createTestApp({ env: { SHUTDOWN_DELAY_SECONDS: '0' } })
  const stops: unknown[] = []
  const server = {
    pendingRequests: 3,
    stop: (cut?: boolean) => {
      stops.push(cut)
      return cut ? Promise.resolve() : new Promise<void>(() => {})
    },
  }
  const drained = app.process.drain(server)
  await app.clock.advance(30_000)
  await drained
  expect(stops).toEqual([undefined, true])
  await app.close()
})

describe('healthcheck', () => {
  test('exits with 0 for a ready server, and with 1 while it drains or after it stopped', async () => {
    const { port, stop, log, clock, exit } = await serve({ SHUTDOWN_DELAY_SECONDS: '5' })
    const env = { HOST: '0.0.0.0', PORT: String(port) }
    expect(await healthcheck([], env)).toEqual({
      code: 0,
      out: `http://127.0.0.1:${port}/readyz answers 200\n`,
      err: '',
    })
    stop()
    await until(() => log().some(({ event }) => event === 'stopping'))
    expect(await healthcheck([], env)).toEqual({
      code: 1,
      out: '',
      err: `http://127.0.0.1:${port}/readyz answers 503: The service is stopping\n`,
    })
    await clock.advance(5_000)
    await exit
    expect(await healthcheck([], env)).toEqual({
      code: 1,
      out: '',
      err: `http://127.0.0.1:${port}/readyz does not answer\n`,
    })
  })

  test('checks another address with --url', async () => {
    const { port } = await serve()
    const url = `http://127.0.0.1:${port}/livez`
    expect(await healthcheck(['--url', url], {})).toEqual({ code: 0, out: `${url} answers 200\n`, err: '' })
    expect(await healthcheck(['--url', `http://127.0.0.1:${port}/docs/none`], {})).toMatchObject({ code: 1 })
    for (const wrong of ['file:///etc/passwd', 'readyz', '']) {
      const { code, err } = await healthcheck(['--url', wrong], {})
      expect([code, err]).toEqual([1, `${wrong} is not an http address\n`])
    }
  })

  test('12.A11 prints what answers so that it cannot control the terminal', async () => {
    const detail = 'gone\u001b[2J\u001b]0;title\u0007\nfake line\u009b\u202e'
    using other = Bun.serve({ hostname: '127.0.0.1', port: 0, fetch: () => Response.json({ detail }, { status: 503 }) })
    const { err } = await healthcheck(['--url', `http://127.0.0.1:${other.port}/`], {})
    expect(err).toEndWith('answers 503: gone\\u001b[2J\\u001b]0;title\\u0007\\u000afake line\\u009b\\u202e\n')
    expect(err).toMatch(/^[ -~]+\n$/)
  })

  test('12.A11 prints an argument so that it cannot control the terminal', async () => {
    const { err } = await healthcheck(['--url', 'x\u001b[2J'], {})
    expect(err).toBe('x\\u001b[2J is not an http address\n')
  })

  test('needs no SECRET_KEY, and refuses PORT=0', async () => {
    const { code, err } = await healthcheck([], { PORT: '0', SECRET_KEY: '' })
    expect([code, err]).toEqual([1, 'PORT=0 does not say where the server listens: set the address with --url\n'])
  })
})

interface Served {
  port: number
  clock: ManualClock
  log(): Record<string, unknown>[]
  /** Acts as a signal to stop. */
  stop(): void
  exit: Promise<number>
}

/** Runs `keyward serve` in this process on a free port, with a manual clock. */
async function serve(env: Record<string, string> = {}, args = ['--dev']): Promise<Served> {
  const clock = manualClock()
  const signal = Promise.withResolvers<string>()
  const { context, logged, err } = commandContext(
    {
      DATABASE_URL: `sqlite:///${scratchFolder('db')}/users.db`,
      HOST: '127.0.0.1',
      PORT: '0',
      BCRYPT_COST: '4',
      HASH_NICE: '0',
      LOG_FORMAT: 'json',
      SHUTDOWN_DELAY_SECONDS: '0',
      ...env,
    },
    clock,
    signal.promise,
  )
  const exit = run(['serve', ...args], context)
  const log = () =>
    logged()
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line) as Record<string, unknown>)
  const started = () => log().find(({ event }) => event === 'started')
  const failed = exit.then((code) => {
    if (!started()) throw new Error(`ended with ${code}: ${err()}`)
  })
  await Promise.race([until(() => started() !== undefined), failed])
  ends.push(async () => {
    signal.resolve('SIGTERM')
    await until(() => log().some(({ event }) => event === 'stopping'))
    for (let i = 0; i < 3; i++) await clock.advance(60_000)
    await exit
  })
  return {
    port: Number(new URL(String(started()!.url)).port),
    clock,
    log,
    stop: () => signal.resolve('SIGTERM'),
    exit,
  }
}

async function healthcheck(args: string[], env: Record<string, string>) {
  const { context, out, err } = commandContext(env, manualClock(), new Promise(() => {}))
  const code = await run(['healthcheck', ...args], context)
  return { code, out: out(), err: err() }
}

function commandContext(env: Record<string, string>, clock: ManualClock, signal: Promise<string>) {
  let out = ''
  let logged = ''
  let err = ''
  const context: ProcessContext = {
    env: { SECRET_KEY: testSecret, ...env },
    executable: `${scratchFolder('executable')}/keyward`,
    version: '9.9.9',
    clock,
    random: seededRandom(),
    usage: () => ({ residentBytes: 0, heapBytes: 0, cpuSeconds: 0 }),
    print: (text) => {
      out += text
    },
    printLog: (line) => {
      logged += line
    },
    printsToTerminal: () => false,
    delivered: async () => undefined,
    errorColumns: () => undefined,
    printError: (text) => {
      err += text
    },
    readSecret: () => Promise.reject(new Error('no command here asks for a secret')),
    confirm: () => Promise.reject(new Error('no command here asks')),
    stopSignal: () => signal,
  }
  return { context, out: () => out, logged: () => logged, err: () => err }
}

async function issuerOf(port: number): Promise<unknown> {
  const json = (path: string, body: object) =>
    fetch(`http://127.0.0.1:${port}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
  await json('/register', { email: 'ada@example.com', username: 'ada', password: 'correct horse battery' })
  const token = await json('/token', { username: 'ada', password: 'correct horse battery' })
  const { access_token } = (await token.json()) as { access_token: string }
  const claims = JSON.parse(Buffer.from(access_token.split('.')[1]!, 'base64url').toString()) as { iss: unknown }
  return claims.iss
}

/** A raw connection, which can send half a request. */
async function openConnection(port: number, text: string) {
  const socket = connect(port, '127.0.0.1')
  let received = ''
  socket.setEncoding('utf8').on('data', (chunk: string) => {
    received += chunk
  })
  socket.on('error', () => {})
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()))
  await new Promise<void>((resolve) => socket.once('connect', () => resolve()))
  socket.write(text)
  return {
    send: (more: string) => socket.write(more),
    received: () => received,
    says: (part: string) => until(() => received.includes(part)),
    closed,
  }
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await nextTurn()
}
