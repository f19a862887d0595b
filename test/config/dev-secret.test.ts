import { afterAll, beforeEach, describe, expect, test } from 'bun:test'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readOrCreateDevSecret, withSecretKey } from '../../src/config/dev-secret.ts'
import { devSecretPath } from '../../src/config/dev-secret-path.ts'
import { loadConfig } from '../../src/config/load.ts'
import { ConfigError } from '../../src/config/problems.ts'
import { parseDatabaseUrl } from '../../src/lib/database-url.ts'
import type { Random } from '../../src/lib/random.ts'
import { seededRandom } from '../support/random.ts'

const root = mkdtempSync(join(tmpdir(), 'keyward-dev-secret-'))
afterAll(() => rmSync(root, { recursive: true }))

let folder = root
let path = ''
let count = 0
beforeEach(() => {
  folder = join(root, String(count++))
  mkdirSync(folder)
  path = join(folder, 'users.db.secret')
})

describe('the file', () => {
  test('P6: is made once, for its owner alone, and read from then on', () => {
    const made = readOrCreateDevSecret(path, seededRandom('a'))
    expect(made).toEqual({ secret: expect.stringMatching(/^[0-9a-f]{64}$/), path, created: true })
    expect(statSync(path).mode & 0o777).toBe(0o600)
    expect(readFileSync(path, 'utf8')).toBe(`${made.secret}\n`)
    expect(readdirSync(folder)).toEqual(['users.db.secret'])
    expect(readOrCreateDevSecret(path, seededRandom('b'))).toEqual({ ...made, created: false })
  })

  test('that another process makes in the same moment is the one that counts', () => {
    let other: string | undefined
    const interrupted: Random = {
      ...seededRandom('a'),
      bytes(length) {
        // Between looking and making: exactly where two starts meet.
        other ??= readOrCreateDevSecret(path, seededRandom('b')).secret
        return seededRandom('a').bytes(length)
      },
    }
    const mine = readOrCreateDevSecret(path, interrupted)
    expect(mine).toEqual({ secret: other ?? '', path, created: false })
    expect(readFileSync(path, 'utf8')).toBe(`${other}\n`)
    expect(readdirSync(folder)).toEqual(['users.db.secret'])
  })

  test('is the same for processes that start at once', async () => {
    const source = `import { readOrCreateDevSecret } from '${import.meta.dir}/../../src/config/dev-secret.ts'
      import { systemRandom } from '${import.meta.dir}/../../src/lib/random.ts'
      console.log(JSON.stringify(readOrCreateDevSecret(${JSON.stringify(path)}, systemRandom)))`
    const starts = Array.from({ length: 4 }, () =>
      Bun.spawn([process.execPath, '-e', source], { cwd: folder, stdout: 'pipe' }),
    )
    const results = await Promise.all(starts.map(async ({ stdout }) => JSON.parse(await new Response(stdout).text())))
    expect(new Set(results.map(({ secret }) => secret)).size).toBe(1)
    expect(results.filter(({ created }) => created)).toHaveLength(1)
  })

  test.each([0o640, 0o604, 0o620, 0o644])('with mode %o is refused, with the remedy', (mode) => {
    readOrCreateDevSecret(path, seededRandom())
    chmodSync(path, mode)
    expect(() => readOrCreateDevSecret(path, seededRandom())).toThrow(
      `SECRET_KEY (${path}): others can read this file; run: chmod 600 ${path}`,
    )
  })

  test('12.A11 of another user is refused, with the remedy', () => {
    readOrCreateDevSecret(path, seededRandom())
    const another = statSync(path).uid + 1
    expect(() => readOrCreateDevSecret(path, seededRandom(), another)).toThrow(
      `SECRET_KEY (${path}): this file belongs to another user, who knows the secret in it; delete it or change its owner`,
    )
  })

  test.each([
    ['nothing', ''],
    ['half a secret', '4be0643f1d98573b'],
    ['a known example', '932a9a8a39cba70f83e0f0b095b6892a31b5923e28383fa6920c20ec970419cb'],
  ])('that holds %s is refused and left as it is', (_, text) => {
    writeFileSync(path, text, { mode: 0o600 })
    expect(() => readOrCreateDevSecret(path, seededRandom())).toThrow('holds no strong secret; delete it')
    expect(readFileSync(path, 'utf8')).toBe(text)
  })

  test('that is a broken link is refused', () => {
    symlinkSync(join(folder, 'absent'), path)
    expect(() => readOrCreateDevSecret(path, seededRandom())).toThrow('is a broken link')
    expect(readdirSync(folder)).toEqual(['users.db.secret'])
  })

  test('that cannot be made is a problem of the configuration', () => {
    const nowhere = join(folder, 'absent', 'users.db.secret')
    expect(() => readOrCreateDevSecret(nowhere, seededRandom())).toThrow(
      /SECRET_KEY \(.*\): cannot be read or created: there is no such file or folder; .* \(ENOENT\)/,
    )
  })
})

test.each([
  ['sqlite:///./users.db', './users.db.secret'],
  ['sqlite+aiosqlite:////var/lib/users.db', '/var/lib/users.db.secret'],
  ['sqlite::memory:', './.keyward.secret'],
  ['postgresql://user@host/db', './.keyward.secret'],
])('for %s it is %s', (databaseUrl, expected) => {
  expect(devSecretPath(parseDatabaseUrl(databaseUrl)!)).toBe(expected)
})

describe('withSecretKey', () => {
  const draft = (env: Record<string, string>) =>
    loadConfig({ env: { DATABASE_URL: `sqlite:///${folder}/users.db`, ...env }, dev: true, random: seededRandom() })
      .config

  test('takes a given key and makes no file', () => {
    const SECRET_KEY = '4be0643f1d98573b97cdca98a65347dd6c1f02b7d58ea3f94be0643f1d985730'
    const { config, devSecret } = withSecretKey(draft({ SECRET_KEY }), seededRandom())
    expect(config.SECRET_KEY).toBe(SECRET_KEY)
    expect(devSecret).toBeUndefined()
    expect(existsSync(path)).toBe(false)
  })

  test('makes one beside the database', () => {
    const { config, devSecret } = withSecretKey(draft({ PORT: '9000' }), seededRandom())
    expect(config).toMatchObject({ PORT: 9000, SECRET_KEY: devSecret?.secret })
    expect(devSecret).toEqual({ secret: config.SECRET_KEY, path, created: true })
    expect(Object.isFrozen(config)).toBe(true)
  })

  test('refuses a JWT_SECRET copied out of the file', () => {
    const { secret } = readOrCreateDevSecret(path, seededRandom())
    expect(() => withSecretKey(draft({ JWT_SECRET: secret }), seededRandom())).toThrow(ConfigError)
  })
})
