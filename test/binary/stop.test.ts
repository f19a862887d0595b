import { expect, setDefaultTimeout, test } from 'bun:test'
import { join } from 'node:path'
import { binaryPath, runBinary, serverSettings, startBinary, startServer } from '../support/binary.ts'
import { scratchFolder } from '../support/scratch.ts'

setDefaultTimeout(60_000)

test('T7: SIGTERM finishes running requests, then exits with 0', async () => {
  // Two hashes of a quarter of a second run in parallel: the last of twelve waits long after the first answer.
  const keyward = await startBinary({ env: { BCRYPT_COST: '12', HASH_MAX_WAIT_MS: '60000' } })
  try {
    const requests = Array.from({ length: 12 }, (_, index) =>
      keyward.request('POST', '/register', {
        json: { email: `user-${index}@example.com`, username: `user-${index}`, password: 'secure_password' },
      }),
    )
    let answered = 0
    for (const request of requests) request.then(() => answered++)
    await Promise.race(requests)
    keyward.signal('SIGTERM')
    await keyward.says(/"stopping"/)
    expect(answered).toBeLessThan(requests.length)
    expect((await Promise.all(requests)).map(({ status }) => status)).toEqual(requests.map(() => 201))
    expect(await keyward.exited).toBe(0)
    expect(keyward.output()).toContain('"event":"stopped"')
    expect(keyward.request('GET', '/users/me')).rejects.toThrow()
  } finally {
    await keyward.stop()
  }
})

test('T7: a second signal ends the process at once', async () => {
  const keyward = await startBinary({ env: { SHUTDOWN_DELAY_SECONDS: '300' } })
  try {
    keyward.signal('SIGTERM')
    await keyward.says(/"stopping"/)
    expect((await keyward.request('GET', '/users/me')).status).toBe(401)
    keyward.signal('SIGINT')
    expect(await keyward.exited).toBe(130)
    expect(keyward.output()).not.toContain('"event":"stopped"')
  } finally {
    await keyward.stop()
  }
})

test('a signal right after the first answer of /livez stops like a later one', async () => {
  const probe = Bun.serve({ port: 0, hostname: '127.0.0.1', fetch: () => new Response() })
  const port = String(probe.port)
  await probe.stop(true)
  const database = `sqlite:///${join(scratchFolder('early-stop'), 'users.db')}`
  const env = serverSettings({ databaseUrl: database, env: { PORT: port, SHUTDOWN_DELAY_SECONDS: '0' } })
  const keyward = Bun.spawn([await binaryPath(), 'serve', '--dev'], { env, stdout: 'pipe', stderr: 'inherit' })
  try {
    const isAlive = () =>
      fetch(`http://127.0.0.1:${port}/livez`).then(
        ({ ok }) => ok,
        () => false,
      )
    while (!(await isAlive())) expect(keyward.exitCode).toBeNull()
    keyward.kill('SIGTERM')
    expect(await keyward.exited).toBe(0)
    expect(await keyward.stdout.text()).toMatch(/"started".*"stopping".*"stopped"/s)
  } finally {
    keyward.kill('SIGKILL')
  }
})

test('12.C4 SIGUSR1 and SIGUSR2 are logged and ignored, and SIGHUP stops like SIGTERM', async () => {
  const keyward = await startBinary()
  try {
    for (const signal of ['SIGUSR1', 'SIGUSR2'] as const) {
      keyward.signal(signal)
      await keyward.says(new RegExp(`"signal_ignored".*"${signal}"`))
    }
    expect((await keyward.request('GET', '/livez')).status).toBe(200)
    keyward.signal('SIGHUP')
    expect(await keyward.exited).toBe(0)
    expect(keyward.output()).toContain('"event":"stopped"')
  } finally {
    await keyward.stop()
  }
})

test('12.C4 under nohup SIGHUP stays ignored', async () => {
  const env = serverSettings({ databaseUrl: `sqlite:///${join(scratchFolder('nohup'), 'users.db')}` })
  const keyward = await startServer(['/bin/sh', '-c', 'trap "" HUP; exec "$0" serve --dev', await binaryPath()], {
    env,
  })
  try {
    keyward.signal('SIGHUP')
    keyward.signal('SIGUSR1')
    await keyward.says(/"signal_ignored"/)
    expect((await keyward.request('GET', '/livez')).status).toBe(200)
    expect(keyward.output()).not.toContain('"event":"stopping"')
  } finally {
    await keyward.stop()
  }
})

test('an address in use prints one clear line and exits with 1', async () => {
  const keyward = await startBinary()
  try {
    const { port } = new URL(keyward.url)
    const { exitCode, stdout, stderr } = await runBinary(['--dev'], {
      env: { HOST: '127.0.0.1', PORT: port, LOG_LEVEL: 'error' },
    })
    expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: '' })
    expect(stderr.replace(/^Created a SECRET_KEY .*\n/, '')).toBe(
      `Cannot listen on HOST=127.0.0.1 PORT=${port}: another program uses this port; stop it or set another PORT (EADDRINUSE)\n`,
    )
  } finally {
    await keyward.stop()
  }
})
