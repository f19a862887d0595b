import { beforeAll, expect, setDefaultTimeout, test } from 'bun:test'
import { ada, expectNothingLost, type Held, logIn } from '../secrets/scenario.ts'
import { testSecret } from '../support/app.ts'
import { binaryPath, type RunningBinary, runBinary, serverSettings, startBinary } from '../support/binary.ts'
import { createDatabase, sharedPostgres } from '../support/postgres.ts'

setDefaultTimeout(120_000)
beforeAll(() => sharedPostgres().then(() => {}))

const newerSecret = 'only-for-tests-again-55f0b2c7d9e8a143'
const newSecret = 'only-for-tests-too-c8d1a6e0b94f7325'
/** The three restarts, and a second change of the secret without the first of them. */
const steps: Record<string, string>[] = [
  { SECRET_KEY: testSecret, SECRET_KEY_PREVIOUS: newSecret },
  { SECRET_KEY: newSecret, SECRET_KEY_PREVIOUS: testSecret },
  { SECRET_KEY: newSecret },
  { SECRET_KEY: newerSecret, SECRET_KEY_PREVIOUS: newSecret },
  { SECRET_KEY: newerSecret },
]

test('12.A3 two running executables on one PostgreSQL lose no refresh token, revocation, API key or device token while SECRET_KEY is replaced in three restarts', async () => {
  const { url: databaseUrl, drop } = await createDatabase()
  const start = (env: Record<string, string> = {}) => startBinary({ databaseUrl, env })
  const replicas: [RunningBinary, RunningBinary] = [await start(), await start()]
  try {
    expect((await replicas[0].request('POST', '/register', { json: ada })).status).toBe(201)
    // The roles of an administrator come with `users create`, which reads a password; one more account has them.
    const settings = serverSettings({ databaseUrl, env: {} })
    const created = Bun.spawnSync(
      [
        await binaryPath(),
        'users',
        'create',
        '--email',
        'gatekeeper@example.com',
        '--username',
        'gatekeeper',
        '--admin',
        '--dev',
      ],
      { env: { PATH: process.env.PATH!, ...settings }, stdin: Buffer.from('correct horse battery\n') },
    )
    expect(created.stderr.toString()).toBe('')
    const apiKey = await runBinary(
      ['apikeys', 'create', '--owner', 'gatekeeper', '--name', 'gateway', '--scope', 'tokens:introspect', '--dev'],
      { env: settings },
    )
    const pair = await logIn(replicas[0])
    let held: Held = {
      ...ada,
      refreshToken: pair.refresh_token,
      deviceToken: pair.device_token,
      apiKey: apiKey.stdout.trim(),
    }
    held = await expectNothingLost(replicas, held)
    for (const env of steps)
      for (const at of [0, 1] as const) {
        replicas[at].signal('SIGTERM')
        expect(await replicas[at].exited).toBe(0)
        replicas[at] = await start(env)
        held = await expectNothingLost(replicas, held)
      }
  } finally {
    for (const replica of replicas) await replica.stop()
    await drop()
  }
})
