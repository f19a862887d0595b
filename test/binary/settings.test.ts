import { describe, expect, setDefaultTimeout, test } from 'bun:test'
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { testSecret } from '../support/app.ts'
import { copyBinary, runBinary, startBinary } from '../support/binary.ts'
import { describeEachDialect } from '../support/dialects.ts'
import { scratchFolder } from '../support/scratch.ts'

setDefaultTimeout(60_000)

const SECRET_KEY = '4be0643f1d98573b97cdca98a65347dd6c1f02b7d58ea3f94be0643f1d985730'

/** A folder that somebody else filled, in the hope that Keyward is started in it. */
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

describe('where settings come from', () => {
  test('nothing in the working directory is read or run', async () => {
    const cwd = hostileFolder()
    const { exitCode, stdout, stderr } = await runBinary(['config'], { cwd, env: { SECRET_KEY } })
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
    expect(stdout).toContain('DATABASE_URL=sqlite:///./keyward.db\n')
    expect(stdout).toContain('PORT=8000\n')

    const keyward = await startBinary({ cwd, args: [] })
    await keyward.stop()
    expect(existsSync(join(cwd, 'keyward.db'))).toBe(true)
    for (const name of ['ran', 'stolen.db']) expect(existsSync(join(cwd, name))).toBe(false)
  })

  test('.env beside the executable is, wherever it is started, and the environment wins over it', async () => {
    const executable = await copyBinary()
    writeFileSync(join(executable, '..', '.env'), `SECRET_KEY=${SECRET_KEY}\nPORT=9001\nBCRYPT_COST=13\n`)
    const { exitCode, stdout } = await runBinary(['config'], {
      executable,
      cwd: hostileFolder(),
      env: { PORT: '9002' },
    })
    expect(exitCode).toBe(0)
    expect(stdout).toContain('PORT=9002\n')
    expect(stdout).toContain('BCRYPT_COST=13\n')
    expect(stdout).toContain('DATABASE_URL=sqlite:///./keyward.db\n')
  })

  test('--env-file names another one, found from the working directory, instead', async () => {
    const executable = await copyBinary()
    writeFileSync(join(executable, '..', '.env'), 'PORT=9001\n')
    const cwd = scratchFolder('cwd')
    writeFileSync(join(cwd, 'own.env'), `SECRET_KEY=${SECRET_KEY}\nLOG_LEVEL=warn\n`)
    const { stdout } = await runBinary(['config', '--env-file', 'own.env'], { executable, cwd })
    expect(stdout).toContain('LOG_LEVEL=warn\n')
    expect(stdout).toContain('PORT=8000\n')
  })

  test('a wrong line in the file is named by file and line', async () => {
    const cwd = scratchFolder('cwd')
    writeFileSync(join(cwd, 'own.env'), `SECRET_KEY=${SECRET_KEY}\n\nPROT=9000\nLOG_LEVEL=loud\n`)
    const { exitCode, stderr } = await runBinary(['config', '--env-file=own.env'], { cwd })
    expect(exitCode).toBe(1)
    expect(stderr).toContain('  PROT (own.env:3): is not a setting of Keyward, did you mean PORT?\n')
    expect(stderr).toContain('  LOG_LEVEL (own.env:4): got "loud"; takes debug, info, warn, error or silent\n')
  })
})

describe('SECRET_KEY', () => {
  test('E9, S5: is asked for in production, with a line to copy that works', async () => {
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

  test('is made with --dev in a file that nobody else can read, once, and said', async () => {
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

describeEachDialect('a database set up with another SECRET_KEY', (dialect) => {
  test('is refused in one sentence, and taken with the former one beside the new', async () => {
    const { url: databaseUrl, dispose } = await dialect.databaseUrl()
    try {
      await (await startBinary({ databaseUrl })).stop()
      const env = { DATABASE_URL: databaseUrl, SECRET_KEY }
      const { exitCode, stdout, stderr } = await runBinary(['serve', '--dev'], { env })
      expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: '' })
      expect(stderr).toStartWith('SECRET_KEY is not the one this database was set up with')
      expect(stderr).toContain('SECRET_KEY_PREVIOUS')
      expect(stderr.trimEnd().split('\n')).toHaveLength(1)

      const both = await startBinary({ databaseUrl, env: { SECRET_KEY, SECRET_KEY_PREVIOUS: testSecret } })
      await both.stop()
    } finally {
      await dispose()
    }
  })
})
