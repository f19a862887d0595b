import { describe, expect, test } from 'bun:test'
import { join } from 'node:path'
import { breachesOf, rules, type SourceFile } from './support/architecture.ts'

const root = join(import.meta.dir, '..')

const sources: SourceFile[] = await Promise.all(
  [...new Bun.Glob('src/**/*.{ts,tsx}').scanSync({ cwd: root })]
    .filter((path) => !path.endsWith('.d.ts'))
    .sort()
    .map(async (path) => ({ path, text: await Bun.file(join(root, path)).text() })),
)

describe('in the source', () => {
  test('there are files', () => {
    expect(sources.length).toBeGreaterThan(100)
  })

  test.each(rules.map((rule) => [rule.name, rule] as const))('%s', (_, rule) => {
    expect(breachesOf(sources, [rule])).toEqual([])
  })
})

/** The file that the examples below stand in, beside what every feature has. */
const around = (path: string, text: string): SourceFile[] => {
  const [, feature] = /^features\/([\w-]+)/.exec(path) ?? []
  const others = [
    { path: 'src/storage/tables/users.ts', text: "/** @owner users */\nexport const a = { users: c.table('users') }" },
    {
      path: 'src/storage/tables/audit.ts',
      text: "/** @owner audit */\nexport const a = { auditEvents: c.table('a') }",
    },
  ]
  if (feature !== undefined) others.push({ path: `src/features/${feature}/${feature}.ts`, text: '' })
  return [{ path: `src/${path}`, text }, ...others.filter((other) => other.path !== `src/${path}`)]
}
const check = (path: string, text: string) =>
  breachesOf(around(path, text)).filter((breach) => breach.startsWith(`src/${path}:`))

describe('the rules refuse', () => {
  test.each([
    ['helpers.ts', '', 'every file has a room'],
    ['features/wallets/open.ts', '', 'every file has a room'],
    ['lib/log.ts', "import { KeywardError } from '../errors.ts'", 'imports point down'],
    ['lib/log.ts', "import type { Config } from '../config/schema.ts'", 'imports point down'],
    ['errors.ts', "import { a } from './lib/clock.ts'", 'errors.ts imports nothing'],
    ['errors.ts', "import { join } from 'node:path'", 'errors.ts imports nothing'],
    ['storage/open.ts', "import { a } from '../features/users/users.ts'", 'imports point down'],
    ['features/users/find.ts', "import { a } from '../../http/guard.ts'", 'imports point down'],
    ['features/users/find.ts', "import { a } from './schemas.ts'", 'imports point down'],
    ['features/users/find.ts', "export { a } from './routes.ts'", 'imports point down'],
    ['features/users/routes.ts', "import type { Service } from '../../service.ts'", 'imports point down'],
    ['app.ts', "const a = await import('./main.ts')", 'imports point down'],
    ['cli/run.ts', "import '../../test/support/clock.ts'", 'imports point down'],
    ['features/audit/list.ts', "import { a } from '../users/users.ts'", 'a feature imports only features before it'],
    ['features/sessions/begin.ts', "import type { A } from '../accounts/accounts.ts'", 'only features before it'],
    ['features/accounts/login.ts', "import * as users from '../users/store.ts'", 'the file named after the feature'],
    ['features/accounts/login.ts', "import type { A } from '../users/find.ts'", 'the file named after the feature'],
    ['features/accounts/login.ts', "import { A } from '../users/schemas.ts'", 'the file named after the feature'],
    ['features/accounts/routes.ts', "import { A } from '../users/routes.ts'", 'the file named after the feature'],
    ['http/caller.ts', "import type { A } from '../features/sessions/begin.ts'", 'only the file named after one'],
    ['cli/commands/users.ts', "import { a } from '../../features/users/find.ts'", 'only the file named after one'],
    ['service.ts', "import { a } from './features/users/routes.ts'", 'only the file named after one'],
    ['main.ts', "import { openService } from './service.ts'", 'service.ts is imported by app.ts and cli/ only'],
    ['features/sessions/store.ts', 'q.update(users).set({ a })', 'a table is written by its owner only'],
    [
      'features/users/store.ts',
      'const { q, t: { auditEvents: a } } = db\nq.delete(a)',
      'a table is written by its owner only',
    ],
    ['features/sessions/store.ts', 'await db.q\n  .insert(db.t.users)\n', 'a table is written by its owner only'],
    ['storage/lease.ts', 'q.delete(users)', 'a table is written by its owner only'],
    ['app.ts', '\n'.repeat(301), 'a file has at most 300 lines'],
    ['features/users/index.ts', '', 'there is no index.ts'],
    ['cli/run.ts', 'export default {}', 'no default exports'],
    ['cli/run.ts', 'export { run as default }', 'no default exports'],
    ['features/users/find.ts', "import { Elysia } from 'elysia'", 'elysia, its plugins'],
    ['features/users/find.ts', "import type { Context } from 'elysia'", 'elysia, its plugins'],
    ['features/metrics/metrics.ts', "import { bearer } from '@elysiajs/bearer'", 'elysia, its plugins'],
    ['features/tokens/jws.ts', "import { jwt } from '@elysiajs/jwt'", '@elysiajs/jwt is named in'],
    ['features/users/routes.ts', "import { eq } from 'drizzle-orm'", 'drizzle-orm is named in'],
    ['features/users/find.ts', "import { eq } from 'drizzle-orm/sqlite-core'", 'drizzle-orm is named in'],
    ['features/users/schemas.ts', "import Type from 'typebox'", 'typebox is for the configuration'],
    ['features/users/store.ts', "import { Database } from 'bun:sqlite'", 'a database is opened in storage/'],
    ['cli/run.ts', 'const sql = new Bun.SQL(url)', 'Bun.SQL is named in storage/'],
    ['storage/open.ts', "import { SQL } from 'bun'", 'Bun is the global'],
    ['config/load.ts', "import { env } from 'node:process'", 'process is named in main.ts only'],
    ['config/load.ts', 'const home = process.env.HOME', 'the process and its environment'],
    ['config/load.ts', 'const { env } = process', 'the process and its environment'],
    ['config/load.ts', 'const home = Bun.env.HOME', 'the process and its environment'],
    ['app.ts', 'const at = Date.now()', 'the time is read in lib/'],
    ['app.ts', `const at = \`now: \${Date.now()}\``, 'the time is read in lib/'],
    ['app.ts', 'const at = new Date(0)', 'the time is read in lib/'],
    ['app.ts', 'const at = performance.now()', 'the time is read in lib/'],
    ['app.ts', 'setTimeout(stop, 5)', 'waiting is in lib/'],
    ['app.ts', "import { setInterval } from 'node:timers'", 'timers are in lib/'],
    ['app.ts', 'await Bun.sleep(5)', 'waiting is in lib/'],
    ['app.ts', 'const n = Math.random()', 'randomness is in lib/'],
    ['app.ts', "import { randomBytes } from 'node:crypto'", 'randomness is in lib/'],
    ['app.ts', 'const id = crypto.randomUUID()', 'randomness is in lib/'],
    ['app.ts', 'crypto.getRandomValues(bytes)', 'randomness is in lib/'],
    ['features/probes/check.ts', 'const answer = await fetch(url)', 'the network is reached'],
    ['features/probes/check.ts', 'const answer = ok ? fetch(url) : none', 'the network is reached'],
    ['features/tokens/jws.ts', "const thread = new Worker('./a.ts')", 'a thread is started in service.ts only'],
    ['service.ts', "import { Worker } from 'node:worker_threads'", 'there is no node:worker_threads'],
    ['features/tokens/rsa-worker.ts', "import { sign } from './jws.ts'", 'an entry point of a thread'],
    ['lib/hash.ts', "await crypto.subtle.digest('SHA-256', data)", 'no crypto.subtle'],
    ['lib/hash.ts', 'const { subtle } = globalThis.crypto', 'no crypto.subtle'],
  ])('%s: %s', (path, text, rule) => {
    const found = check(path, text)
    expect(found.length).toBeGreaterThan(0)
    expect(found.join('\n')).toContain(rule)
    expect(found[0]).toStartWith(`src/${path}:`)
  })

  test('a feature without a file that is named after it', () => {
    expect(breachesOf([{ path: 'src/features/users/find.ts', text: '' }])).toEqual([
      'src/features/users/find.ts:1: every feature has a file that is named after it (src/features/users/find.ts, without src/features/users/users.ts)',
    ])
  })

  test('what hides behind comments, strings, templates and regular expressions, and name the line', () => {
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
      'src/features/accounts/login.ts:5: a feature imports only features before it in the list, and of them only the file named after the feature (src/features/users/store.ts)',
      'src/features/accounts/login.ts:4: the time is read in lib/ only: take a Clock (Date.now)',
    ])
  })
})

describe('the rules allow', () => {
  test.each([
    ['main.ts', "import { run } from './cli/run.ts'\nprocess.exit(await run(process.argv))"],
    ['app.ts', "import { userRoutes } from './features/users/routes.ts'\nimport { Elysia } from 'elysia'"],
    ['app.ts', `${'\n'.repeat(299)}`],
    ['service.ts', "const thread = new Worker('./a.ts')"],
    [
      'features/tokens/rsa-worker.ts',
      "import { sign } from 'node:crypto'\nimport type { Job } from './rsa-signing.ts'",
    ],
    ['service.ts', "import { a } from './features/users/users.ts'\nimport { open } from './storage/open.ts'"],
    ['features/users/routes.ts', "import { a } from '../../http/guard.ts'\nimport { User } from './schemas.ts'"],
    ['features/accounts/routes.ts', "import { UserView } from '../users/schemas.ts'"],
    ['features/users/find.ts', "import type { UsersNeeds } from './users.ts'\nimport * as store from './store.ts'"],
    ['features/users/store.ts', "import { eq } from 'drizzle-orm'\nq.insert(users)"],
    ['features/audit/store.ts', 'const { q, t: { auditEvents: a } } = db\nq.delete(a)'],
    ['features/users/bulk.store.ts', "import { eq } from 'drizzle-orm'\nq.insert(users)"],
    ['features/accounts/login.ts', "import { a } from '../sessions/sessions.ts'"],
    ['features/sessions/device-token.ts', "import { jwt } from '@elysiajs/jwt'"],
    ['features/metrics/routes.ts', "import { bearer } from '@elysiajs/bearer'"],
    ['storage/sqlite-file.ts', "import { Database } from 'bun:sqlite'\nimport type { Clock } from '../lib/clock.ts'"],
    ['features/import/foreign.ts', "import { Database } from 'bun:sqlite'\nconst sql = new Bun.SQL(url)"],
    ['http/caller.ts', "import type { Server } from 'bun'\nimport type { A } from '../features/sessions/sessions.ts'"],
    ['lib/clock.ts', 'export const now = () => Date.now()\nexport const later = () => setTimeout(now, 1)'],
    ['features/probes/version.ts', "import { version } from '../../../package.json'"],
    ['cli/listener.ts', 'const server = { fetch(request: Request) { return app.fetch(request) } }'],
    ['cli/listener.ts', 'interface Web {\n  fetch(request: Request): Promise<Response>\n}'],
    ['cli/run.ts', `// Date.now()\nconst text = 'process.env'\nconst more = \`new Date() \${text}\` /* fetch(x) */`],
    ['cli/run.ts', 'const text = "import { a } from \'../http/guard.ts\'"'],
    ['cli/run.ts', 'const pattern = /crypto.subtle|Date.now()/'],
    ['http/layout.tsx', "const page = <p>Don't use subtle tricks</p>\nconst next = <br />"],
  ])('%s: %s', (path, text) => {
    expect(check(path, text)).toEqual([])
  })
})
