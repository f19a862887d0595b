import { describe, expect, setDefaultTimeout, test } from 'bun:test'
import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import manifest from '../../package.json' with { type: 'json' }
import { configKeys } from '../../src/config/schema.ts'
import { everyCommand, runBinary, startBinary } from '../support/binary.ts'
import { scratchFolder } from '../support/scratch.ts'

setDefaultTimeout(60_000)

const SECRET_KEY = '4be0643f1d98573b97cdca98a65347dd6c1f02b7d58ea3f94be0643f1d985730'

test('the executable runs in an empty folder and writes only into it', async () => {
  const cwd = scratchFolder('empty')
  const keyward = await startBinary({ cwd })
  try {
    const json = { email: 'user@example.com', username: 'user123', password: 'secure_password' }
    expect((await keyward.request('POST', '/register', { json })).status).toBe(201)
    const form = { username: 'user123', password: 'secure_password' }
    const token = (await (await keyward.request('POST', '/token', { form })).json()) as { access_token: string }
    const me = await keyward.request('GET', '/users/me', { token: token.access_token })
    expect(await me.json()).toMatchObject({ id: 1, email: 'user@example.com', username: 'user123', roles: ['user'] })
    const files = readdirSync(cwd).sort()
    expect(files).toContain('keyward.db')
    expect(files.filter((name) => !/^keyward\.db(-wal|-shm)?$/.test(name))).toEqual([])
  } finally {
    await keyward.stop()
  }
})

test('--version prints the version, at any position', async () => {
  for (const args of [['--version'], ['serve', '--version']])
    expect(await runBinary(args)).toEqual({ exitCode: 0, stdout: `${manifest.version}\n`, stderr: '' })
})

describe('--help', () => {
  test('of keyward lists every command, as plain text', async () => {
    const { exitCode, stdout, stderr } = await runBinary(['--help'])
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
    expect(stdout).toContain('Usage: keyward COMMAND')
    expect(stdout).toMatch(/^[\n\x20-\x7e’]+$/)
  })

  test('works for every command and subcommand', async () => {
    const found = await everyCommand()
    expect(found).toContain('migrate status')
    for (const command of found) {
      const { exitCode, stdout, stderr } = await runBinary([...command.split(' '), '--help'])
      expect({ command, exitCode, stderr }).toEqual({ command, exitCode: 0, stderr: '' })
      expect(stdout).toContain(`\nUsage: keyward ${command} `)
      if (command !== 'completion') expect(stdout).toContain('--env-file FILE')
    }
  })

  test('does not run the command', async () => {
    const cwd = scratchFolder('cwd')
    for (const args of [['-h'], ['serve', '--dev', '--help'], ['migrate', 'up', '--dev', '-h']])
      expect((await runBinary(args, { cwd })).exitCode).toBe(0)
    expect(readdirSync(cwd)).toEqual([])
  })
})

describe('a wrong command line exits with 2 and names the mistake', () => {
  test.each([
    [['serv'], 'Unknown command "serv". Did you mean serve? Commands: ', 'keyward'],
    [['frobnicate'], 'Unknown command "frobnicate". Commands: ', 'keyward'],
    [['lst'], 'Unknown command "lst". Commands: serve, ', 'keyward'],
    [['rotate'], 'Unknown command "rotate". Did you mean keyward signing-keys rotate? Commands: ', 'keyward'],
    [['users', 'apikeys'], 'Unknown command "apikeys". Did you mean keyward apikeys? Commands: ', 'keyward users'],
    [['keys', 'rotat'], 'Unknown command "rotat". Did you mean rotate? Commands: ', 'keyward signing-keys'],
    [['users', 'lst'], 'Unknown command "lst". Did you mean list? Commands: ', 'keyward users'],
    [['migrate', 'down'], 'Unknown command "down". Commands: up, status', 'keyward migrate'],
    [['--devv'], "Unknown option '--devv'; did you mean --dev?", 'keyward'],
    [
      ['mail', 'list', '--state', 'ded'],
      '--state takes one of queued, sent, dead, dropped; did you mean dead?',
      'keyward mail list',
    ],
    [
      ['serve', '--port=80'],
      "Unknown option '--port'; set PORT in the environment or in the .env file",
      'keyward serve',
    ],
    [['config', '-dev'], "Unknown option '-d'", 'keyward config'],
    [['config', '--dev', 'extra'], 'This command takes no arguments', 'keyward config'],
    [['config', '--dev=false'], "Option '--dev' does not take an argument", 'keyward config'],
    [['config', '--env-file'], "Option '--env-file <value>' argument missing", 'keyward config'],
    [['config', '--env-file='], '--env-file needs the name of a file', 'keyward config'],
    [['users', 'create', '--dev'], 'Missing required argument', 'keyward users create'],
  ])('12.D2 %p: %s', async (args, message, command) => {
    const { exitCode, stdout, stderr } = await runBinary(args)
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' })
    expect(stderr).toStartWith(message)
    expect(stderr).toEndWith(`\nSee: ${command} --help\n`)
    expect(stderr.trimEnd().split('\n')).toHaveLength(2)
  })

  test.each(['users', 'apikeys', 'audit', 'keys', 'signing-keys', 'migrate'])(
    '12.D5 %s alone says what there is, and does nothing',
    async (group) => {
      const cwd = scratchFolder('cwd')
      const { exitCode, stdout, stderr } = await runBinary([group, '--dev'], { cwd })
      expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' })
      expect(stderr).toMatch(/^A command is missing\. Commands: \w+/)
      expect(readdirSync(cwd)).toEqual([])
    },
  )

  test('12.D2 help and version are words too', async () => {
    expect((await runBinary(['help', 'users'])).stdout).toContain('keyward users')
    expect((await runBinary(['version'])).stdout).toBe((await runBinary(['--version'])).stdout)
  })
})

describe('keyward config', () => {
  test('prints every setting in force, with secrets masked', async () => {
    const env = { SECRET_KEY, DATABASE_URL: 'postgresql+psycopg://ada:hunter2@host/db', PORT: '9000' }
    const { exitCode, stdout, stderr } = await runBinary(['config'], { env })
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
    const lines = stdout.trimEnd().split('\n')
    expect(lines.map((line) => line.split('=', 1)[0] ?? '')).toEqual([...configKeys])
    expect(lines).toContain('SECRET_KEY=********  # environment')
    expect(lines).toContain('DATABASE_URL=postgresql://ada:********@host/db  # environment')
    expect(lines).toContain('PUBLIC_URL=http://localhost:9000  # default')
    expect(stdout).not.toContain(SECRET_KEY)
    expect(stdout).not.toContain('hunter2')
  })

  test('12.D4 with --dev it prints the SECRET_KEY that is in force, and creates none', async () => {
    const cwd = scratchFolder('cwd')
    const secretKey = async () => {
      const { exitCode, stdout } = await runBinary(['config', '--dev'], { cwd })
      expect(exitCode).toBe(0)
      return stdout.split('\n').find((line) => line.startsWith('SECRET_KEY='))
    }
    expect(await secretKey()).toBe('SECRET_KEY=  # --dev: created in ./keyward.db.secret when the server starts')
    expect(readdirSync(cwd)).toEqual([])
    writeFileSync(join(cwd, 'keyward.db.secret'), SECRET_KEY, { mode: 0o600 })
    expect(await secretKey()).toBe('SECRET_KEY=********  # --dev: ./keyward.db.secret')
  })

  test('warns of a misspelt name in the environment', async () => {
    const { exitCode, stderr } = await runBinary(['config'], { env: { SECRET_KEY, DATABSE_URL: 'sqlite:///./a.db' } })
    expect(exitCode).toBe(0)
    expect(stderr).toBe('warning: DATABSE_URL: is not a setting of Keyward, did you mean DATABASE_URL?\n')
  })
})

test.each([[['serve']], [['config']], [['migrate', 'up']]])(
  '%p exits with 1 if the configuration is wrong, and lists every problem',
  async (command) => {
    const cwd = scratchFolder('cwd')
    const env = { SECRET_KEY: 'changeme', PORT: '80000', JWT_ALG: 'none', DATABASE_URL: 'mysql://ada:hunter2@host/db' }
    const { exitCode, stdout, stderr } = await runBinary(command, { env, cwd })
    expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: '' })
    const lines = stderr.split('\n')
    expect(lines[0]).toBe('The configuration has 4 problems:')
    expect(stderr).toMatch(/^ {2}PORT: got "80000"; takes a whole number from 0 to 65535$/m)
    expect(stderr).toMatch(/^ {2}JWT_ALG: got "none"; takes ES256, EdDSA, RS256 or HS256$/m)
    for (const key of ['SECRET_KEY', 'DATABASE_URL']) expect(stderr).toMatch(new RegExp(`^ {2}${key}: got `, 'm'))
    expect(stderr).not.toContain('hunter2')
    expect(readdirSync(cwd)).toEqual([])
  },
)

describe('with an unusable database every command exits with 1 and one sentence', () => {
  test.each([
    [
      'sqlite:////nowhere/at/all.db',
      'Cannot open /nowhere/at/all.db: there is no such file or folder; correct the path, or create the folder (ENOENT)',
    ],
    ['sqlite:////tmp', 'Cannot open /tmp: it is a folder; name a file (EISDIR)'],
    ['sqlite:///./not.db', 'The file in DATABASE_URL is not an SQLite database; name another file (SQLITE_NOTADB)'],
    [
      'postgresql://ada:hunter2@127.0.0.1:1/users',
      'PostgreSQL at DATABASE_URL does not answer; is it running? (ERR_POSTGRES_CONNECTION_REFUSED)',
    ],
  ])('%s', async (url, sentence) => {
    const cwd = scratchFolder('cwd')
    await Bun.write(`${cwd}/not.db`, 'these are not the pages of a database, but they are long enough to be asked')
    const env = { SECRET_KEY, DATABASE_URL: url }
    for (const command of [['serve'], ['migrate', 'up']])
      expect(await runBinary(command, { env, cwd })).toEqual({ exitCode: 1, stdout: '', stderr: `${sentence}\n` })
  })
})
