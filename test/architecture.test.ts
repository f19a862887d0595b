import { describe, expect, test } from 'bun:test'
import { join } from 'node:path'
import { type SourceFile, violations } from './support/architecture.ts'

const root = join(import.meta.dir, '..')

const sources: SourceFile[] = await Promise.all(
  [...new Bun.Glob('src/**/*.{ts,tsx}').scanSync({ cwd: root })].sort().map(async (path) => ({
    path,
    text: await Bun.file(join(root, path)).text(),
  })),
)

test('the source keeps the rules of the house', () => {
  expect(sources.map(({ path }) => path)).toContain('src/errors.ts')
  expect(violations(sources)).toEqual([])
})

const check = (path: string, text: string) => violations([{ path: `src/${path}`, text }])

describe('the checker refuses', () => {
  test.each([
    ['features/users/find.ts', "import { a } from '../../http/guard.ts'", 'http/ is imported by'],
    ['cli/serve.ts', "import { a } from '../http/guard.ts'", 'http/ is imported by'],
    ['features/accounts/login.ts', "import * as users from '../users/store.ts'", "a feature's store.ts"],
    ['features/accounts/login.ts', "import type { UserRow } from '../users/store.ts'", "a feature's store.ts"],
    ['http/guard.ts', "import { a } from '../features/users/store.ts'", "a feature's store.ts"],
    ['lib/log.ts', "import { KeywardError } from '../errors.ts'", 'lib imports nothing of Keyward'],
    ['lib/log.ts', "import type { Config } from '../config/schema.ts'", 'lib imports nothing of Keyward'],
    ['errors.ts', "import { a } from './lib/clock.ts'", 'errors.ts imports nothing'],
    ['errors.ts', "import { join } from 'node:path'", 'errors.ts imports nothing'],
    ['storage/open.ts', "import { a } from '../features/users/find.ts'", 'imports point down'],
    ['storage/open.ts', "import type { Deps } from '../deps.ts'", 'imports point down'],
    ['features/users/store.ts', "import { a } from './find.ts'", 'imports point down'],
    ['features/users/find.ts', "import { a } from './schemas.ts'", 'imports point down'],
    ['features/users/find.ts', "import { createDeps } from '../../deps.ts'", 'imports point down'],
    ['features/users/find.ts', "export { a } from './routes.ts'", 'a routes.ts is imported by'],
    ['app.ts', "const a = await import('./main.ts')", 'imports point down'],
    ['cli/serve.ts', "import '../../test/support/clock.ts'", 'no code outside its own layers'],
    ['features/audit/record.ts', "import { a } from '../users/find.ts'", 'feature audit imports'],
    ['features/sessions/mint.ts', "import { a } from '../accounts/login.ts'", 'feature sessions imports'],
    ['features/admin/users.ts', "import type { A } from '../pages/layout.tsx'", 'feature admin imports'],
    ['features/wallets/open.ts', '', 'feature "wallets" has no level'],
    ['helpers.ts', '', 'no place in the house'],
    ['features/users/index.ts', '', 'no index.ts'],
    ['cli/serve.ts', 'export default {}', 'no default exports'],
    ['cli/serve.ts', 'export { serve as default }', 'no default exports'],
    ['features/users/find.ts', "import { Elysia } from 'elysia'", 'elysia is named in'],
    ['features/users/find.ts', "import type { Context } from 'elysia'", 'elysia is named in'],
    ['features/tokens/jws.ts', "import { jwt } from '@elysiajs/jwt'", '@elysiajs/jwt makes'],
    ['features/users/routes.ts', "import { eq } from 'drizzle-orm'", 'drizzle-orm is named in'],
    ['features/users/find.ts', "import { eq } from 'drizzle-orm/sqlite-core'", 'drizzle-orm is named in'],
    ['features/users/schemas.ts', "import Type from 'typebox'", 'typebox is for'],
    ['features/users/store.ts', "import { Database } from 'bun:sqlite'", 'databases are opened in'],
    ['storage/open.ts', 'const sql = new Bun.SQL(url)', 'databases are opened in'],
    ['storage/open.ts', "import { SQL } from 'bun'", 'Bun is the global'],
    ['config/load.ts', 'const home = process.env.HOME', 'process is named in main.ts only'],
    ['config/load.ts', 'const { env } = process', 'process is named in main.ts only'],
    ['config/load.ts', "import { env } from 'node:process'", 'process is named in main.ts only'],
    ['config/load.ts', 'const home = Bun.env.HOME', 'process is named in main.ts only'],
    ['app.ts', 'const at = Date.now()', 'time is read in lib/ only'],
    ['app.ts', `const at = \`now: \${Date.now()}\``, 'time is read in lib/ only'],
    ['app.ts', 'const at = new Date(0)', 'time is read in lib/ only'],
    ['app.ts', 'const at = performance.now()', 'time is read in lib/ only'],
    ['app.ts', 'setTimeout(stop, 5)', 'timers are in lib/ only'],
    ['app.ts', "import { setInterval } from 'node:timers'", 'timers are in lib/ only'],
    ['app.ts', 'await Bun.sleep(5)', 'timers are in lib/ only'],
    ['app.ts', 'const n = Math.random()', 'randomness is in lib/ only'],
    ['app.ts', "import { randomBytes } from 'node:crypto'", 'randomness is in lib/ only'],
    ['app.ts', 'const id = crypto.randomUUID()', 'randomness is in lib/ only'],
    ['app.ts', 'crypto.getRandomValues(bytes)', 'randomness is in lib/ only'],
    ['features/mail/deliver.ts', 'const answer = await fetch(url)', 'the network is reached'],
    ['features/mail/deliver.ts', 'const answer = ok ? fetch(url) : none', 'the network is reached'],
    ['lib/hash.ts', "await crypto.subtle.digest('SHA-256', data)", 'no crypto.subtle'],
    ['lib/hash.ts', 'const { subtle } = globalThis.crypto', 'no crypto.subtle'],
  ])('%s: %s', (path, text, rule) => {
    const found = check(path, text)
    expect(found.length).toBeGreaterThan(0)
    expect(found[0]).toStartWith(`src/${path}:1: `)
    expect(found.join('\n')).toContain(rule)
  })

  test('a file over 300 lines, not one of 300', () => {
    expect(check('app.ts', '\n'.repeat(300))).toEqual([])
    expect(check('app.ts', '\n'.repeat(301))).toEqual([
      'src/app.ts:301: a file has at most 300 lines, this one has 301',
    ])
  })

  test('what hides behind comments, strings, templates and regular expressions, and names the line', () => {
    const text = [
      '// it\'s "quoted"',
      `const a = \`\${f({ b: \`}\` })} // "\`; const b = /["'\`/]/.test(a)`,
      'const c = "\\"" + \'/*\'',
      'const at = Date.now()',
      'import {',
      '  store,',
      "} from '../users/store.ts'",
    ].join('\n')
    expect(check('features/accounts/login.ts', text)).toEqual([
      "src/features/accounts/login.ts:5: a feature's store.ts is imported by its own folder only: call its use case (imports src/features/users/store.ts)",
      'src/features/accounts/login.ts:4: time is read in lib/ only: take a Clock (Date.now)',
    ])
  })
})

describe('the checker allows', () => {
  test.each([
    ['main.ts', "import { run } from './cli/run.ts'\nprocess.exit(await run(process.argv))"],
    ['app.ts', "import { userRoutes } from './features/users/routes.ts'\nimport { Elysia } from 'elysia'"],
    ['deps.ts', "import { gate } from './features/users/password.ts'\nimport { open } from './storage/open.ts'"],
    ['features/users/routes.ts', "import { a } from '../../http/guard.ts'\nimport { User } from './schemas.ts'"],
    ['features/users/find.ts', "import type { Deps } from '../../deps.ts'\nimport * as store from './store.ts'"],
    ['features/users/store.ts', "import { eq } from 'drizzle-orm'\nimport type { Draft } from './register.ts'"],
    ['features/accounts/login.ts', "import { mint } from '../sessions/mint.ts'\nimport '../users/password.ts'"],
    ['features/tokens/device-token.ts', "import { jwt } from '@elysiajs/jwt'"],
    ['features/transfer/format.ts', "import Type from 'typebox'"],
    ['storage/sqlite-file.ts', "import { Database } from 'bun:sqlite'\nimport type { Clock } from '../lib/clock.ts'"],
    ['storage/postgres.ts', 'const sql = new Bun.SQL(url)'],
    ['http/guard.ts', "import type { Server } from 'bun'\nimport { find } from '../features/sessions/find.ts'"],
    ['lib/clock.ts', 'export const now = () => Date.now()\nexport const later = () => setTimeout(now, 1)'],
    ['features/ops/health.ts', "import { version } from '../../../package.json'"],
    ['cli/serve.ts', 'const server = { fetch(request: Request) { return app.fetch(request) } }'],
    ['cli/serve.ts', 'interface Web {\n  fetch(request: Request): Promise<Response>\n}'],
    ['cli/serve.ts', `// Date.now()\nconst text = 'process.env'\nconst more = \`new Date() \${text}\` /* fetch(x) */`],
    ['cli/serve.ts', 'const text = "import { a } from \'../http/guard.ts\'"'],
    ['cli/serve.ts', 'const pattern = /crypto.subtle|Date.now()/'],
    ['features/pages/layout.tsx', "const page = <p>Don't use subtle tricks</p>\nconst next = <br />"],
  ])('%s: %s', (path, text) => {
    expect(check(path, text)).toEqual([])
  })
})
