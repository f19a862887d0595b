import { describe, expect, setDefaultTimeout, test } from 'bun:test'
import { chmodSync, existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { testSecret } from '../support/app.ts'
import { copyBinary, runBinary, startBinary } from '../support/binary.ts'
import { describeEachDialect } from '../support/dialects.ts'
import { scratchFolder } from '../support/scratch.ts'

setDefaultTimeout(60_000)

const SECRET_KEY = '4be0643f1d98573b97cdca98a65347dd6c1f02b7d58ea3f94be0643f1d985730'

/** A folder with files of an attacker, in which Keyward is started. */
function hostileFolder(): string {
  const folder = scratchFolder('hostile')
  const write = (name: string, text: string) => writeFileSync(join(folder, name), text)
  write('evil.ts', `require('node:fs').writeFileSync(${JSON.stringify(join(folder, 'ran'))}, 'evil')`)
  write('bunfig.toml', 'preload = ["./evil.ts"]\n[run]\npreload = ["./evil.ts"]\n[test]\npreload = ["./evil.ts"]\n')
  const env = 'DATABASE_URL=sqlite:///./stolen.db\nPORT=1\nBCRYPT_COST=99\nNODE_OPTIONS=--require=./evil.ts\n'
  for (const name of ['.env', '.env.local', '.env.production', '.env.development', '.env.test']) write(name, env)
  write('package.json', JSON.stringify({ name: 'evil', type: 'module', imports: { '#*': './evil.ts' } }))
  write('tsconfig.json', JSON.stringify({ compilerOptions: { paths: { '*': ['./evil.ts'] } } }))
  return folder
}

describe('the source of settings', () => {
  test('the working directory: nothing in it is read or run', async () => {
    const cwd = hostileFolder()
    const { exitCode, stdout, stderr } = await runBinary(['config'], { cwd, env: { SECRET_KEY } })
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
    expect(stdout).toContain('DATABASE_URL=sqlite:///./keyward.db  # ')
    expect(stdout).toContain('PORT=8000  # ')

    const keyward = await startBinary({ cwd, args: [] })
    await keyward.stop()
    expect(existsSync(join(cwd, 'keyward.db'))).toBe(true)
    for (const name of ['ran', 'stolen.db']) expect(existsSync(join(cwd, name))).toBe(false)
  })

  test('.env beside the executable is read from any working directory, and the environment overrides it', async () => {
    const executable = await copyBinary()
    writeFileSync(join(executable, '..', '.env'), `SECRET_KEY=${SECRET_KEY}\nPORT=9001\nBCRYPT_COST=13\n`)
    const { exitCode, stdout } = await runBinary(['config'], {
      executable,
      cwd: hostileFolder(),
      env: { PORT: '9002' },
    })
    expect(exitCode).toBe(0)
    expect(stdout).toContain('PORT=9002  # ')
    expect(stdout).toContain('BCRYPT_COST=13  # ')
    expect(stdout).toContain('DATABASE_URL=sqlite:///./keyward.db  # ')
  })

  test('12.C2 a secret in a file is read by the server and by commands, and stands in no error', async () => {
    const folder = scratchFolder('secrets')
    const write = (name: string, text: string) => {
      writeFileSync(join(folder, name), text, { mode: 0o600 })
      return join(folder, name)
    }
    const env = {
      SECRET_KEY: '',
      SECRET_KEY_FILE: write('secret_key', `${SECRET_KEY}\n`),
      METRICS_TOKEN_FILE: write('metrics_token', 'k9f2m4x8q1w7z3v5\n'),
      DATABASE_URL_FILE: write('database_url', `sqlite:///${folder}/users.db\n`),
    }
    const keyward = await startBinary({ args: [], env })
    try {
      const metrics = await keyward.request('GET', '/metrics', { token: 'k9f2m4x8q1w7z3v5' })
      expect(metrics.status).toBe(200)
      expect(await runBinary(['users', 'list', '--json'], { env })).toEqual({ exitCode: 0, stdout: '', stderr: '' })
      expect((await runBinary(['keys', 'list'], { env })).stdout).toContain('active')
    } finally {
      await keyward.stop()
    }
    expect(existsSync(join(folder, 'users.db'))).toBe(true)
    const wrong = write('wrong', 'hunter2 hunter2')
    const { exitCode, stderr } = await runBinary(['serve'], {
      env: { SECRET_KEY_FILE: wrong, METRICS_TOKEN_FILE: folder },
    })
    expect(exitCode).toBe(1)
    expect(stderr).toContain(`  SECRET_KEY (${wrong}): got 15 characters`)
    expect(stderr).toContain(`  METRICS_TOKEN_FILE: ${folder} cannot be read: it is a folder; name a file (EISDIR)\n`)
    expect(stderr).not.toContain('hunter2')
  })

  test('12.A11 .env beside the executable that others can read is a warning of every command', async () => {
    const executable = await copyBinary()
    const path = join(executable, '..', '.env')
    writeFileSync(path, `SECRET_KEY=${SECRET_KEY}\n`, { mode: 0o644 })
    const warning = `warning: ${path}: others can read this file, which sets SECRET_KEY; run: chmod 600 ${path}\n`
    expect((await runBinary(['config'], { executable })).stderr).toBe(warning)
    chmodSync(path, 0o600)
    expect((await runBinary(['config'], { executable })).stderr).toBe('')
  })

  test('--env-file names another file instead, relative to the working directory', async () => {
    const executable = await copyBinary()
    writeFileSync(join(executable, '..', '.env'), 'PORT=9001\n')
    const cwd = scratchFolder('cwd')
    writeFileSync(join(cwd, 'own.env'), `SECRET_KEY=${SECRET_KEY}\nLOG_LEVEL=warn\n`)
    const { stdout } = await runBinary(['config', '--env-file', 'own.env'], { executable, cwd })
    expect(stdout).toContain('LOG_LEVEL=warn  # ')
    expect(stdout).toContain('PORT=8000  # ')
  })

  test('a wrong line of the file is reported with file and line', async () => {
    const cwd = scratchFolder('cwd')
    writeFileSync(join(cwd, 'own.env'), `SECRET_KEY=${SECRET_KEY}\n\nPROT=9000\nLOG_LEVEL=loud\n`)
    const { exitCode, stderr } = await runBinary(['config', '--env-file=own.env'], { cwd })
    expect(exitCode).toBe(1)
    expect(stderr).toContain('  PROT (own.env:3): is not a setting of Keyward, did you mean PORT?\n')
    expect(stderr).toContain('  LOG_LEVEL (own.env:4): got "loud"; takes debug, info, warn, error or silent\n')
  })
})

describe('SECRET_KEY', () => {
  test('E9, S5: is required in production, and the error prints a new one that works', async () => {
    const executable = await copyBinary()
    const refused = await runBinary([], { executable })
    expect({ exitCode: refused.exitCode, stdout: refused.stdout }).toEqual({ exitCode: 1, stdout: '' })
    const line = /^SECRET_KEY=[0-9a-f]{64}$/m.exec(refused.stderr)?.[0]
    expect(refused.stderr).toContain('SECRET_KEY: is not set')
    expect(line).toBeDefined()
    expect((await runBinary([], { executable })).stderr).not.toContain(line!)

    writeFileSync(join(executable, '..', '.env'), `${line}\n`)
    const keyward = await startBinary({ executable, args: [], env: { SECRET_KEY: '' } })
    try {
      expect((await keyward.request('GET', '/users/me')).status).toBe(401)
      expect(keyward.output()).not.toContain(line!.slice('SECRET_KEY='.length))
    } finally {
      await keyward.stop()
    }
  })

  test('is created once with --dev, in a file for its owner only, and the output says so', async () => {
    const cwd = scratchFolder('dev')
    const env = { SECRET_KEY: '' }
    const first = await startBinary({ cwd, env })
    await first.stop()
    const file = join(cwd, 'keyward.db.secret')
    expect(first.output()).toContain('Created a SECRET_KEY for development in ./keyward.db.secret\n')
    expect(statSync(file).mode & 0o777).toBe(0o600)
    expect(statSync(join(cwd, 'keyward.db')).mode & 0o777).toBe(0o600)
    const secret = readFileSync(file, 'utf8')
    expect(secret.trim().length).toBeGreaterThanOrEqual(32)

    const second = await startBinary({ cwd, env })
    await second.stop()
    expect(second.output()).not.toContain('Created a SECRET_KEY')
    expect(readFileSync(file, 'utf8')).toBe(secret)
    expect(first.output() + second.output()).not.toContain(secret.trim())
  })
})

describeEachDialect('a database created with another SECRET_KEY', (dialect) => {
  test('12.D1 is refused in one sentence, and accepted if the former one is SECRET_KEY_PREVIOUS', async () => {
    const { url: databaseUrl, dispose } = await dialect.databaseUrl()
    try {
      await (await startBinary({ databaseUrl })).stop()
      const env = { DATABASE_URL: databaseUrl, SECRET_KEY }
      const { exitCode, stdout, stderr } = await runBinary(['serve', '--dev'], { env })
      expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: '' })
      expect(stderr).toStartWith('This SECRET_KEY does not open the signing keys in the database')
      expect(stderr).toContain('SECRET_KEY_PREVIOUS')
      expect(stderr.trimEnd().split('\n')).toHaveLength(1)

      // 12.D1: also when another program has the port, since a free port would not help.
      using other = Bun.serve({ hostname: '127.0.0.1', port: 0, fetch: () => new Response() })
      const taken = await runBinary(['serve', '--dev'], { env: { ...env, PORT: String(other.port) } })
      expect(taken).toEqual({ exitCode, stdout, stderr })

      const both = await startBinary({ databaseUrl, env: { SECRET_KEY, SECRET_KEY_PREVIOUS: testSecret } })
      await both.stop()
    } finally {
      await dispose()
    }
  })
})
