import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import manifest from '../../package.json' with { type: 'json' }
import { settingNames } from '../../src/config/schema.ts'
import { createTestApp } from '../support/app.ts'
import { copyBinary, type RunningBinary, startServer } from '../support/binary.ts'
import { oldServiceDatabase } from '../support/fastapi.ts'
import { createDatabase } from '../support/postgres.ts'
import { hasPrograms } from '../support/programs.ts'
import {
  type Block,
  blocksOf,
  type Document,
  jsonAsShown,
  madeParts,
  openShell,
  partPattern,
  readDocuments,
  type Shell,
} from '../support/readme.ts'
import { scratchFolder } from '../support/scratch.ts'

setDefaultTimeout(60_000)

const root = join(import.meta.dir, '..', '..')
const documents = await readDocuments()
const everything = documents.map(({ text }) => text).join('\n')
const blocksIn = (document: Document) =>
  blocksOf(document.text).filter(({ language }) => ['sh', 'json'].includes(language))
const withCommands = documents.filter((document) => blocksIn(document).some(({ language }) => language === 'sh'))
const quickStart = documents.find(({ name }) => name === 'quick-start')!

describe.skipIf(!hasPrograms('bash', 'curl')).each(withCommands.map((one) => [one.name, one] as const))(
  'the shell blocks of %s, one after the other',
  (name, document) => {
    const home = scratchFolder(`readme-${name}`)
    let shell: Shell
    let keyward: RunningBinary | undefined
    let postgresUrl = ''
    let output = ''
    let oldDatabase = ''

    beforeAll(async () => {
      await copyBinary(join(home, 'dist'))
      shell = openShell(home)
      if (document.text.includes('DATABASE_URL=postgresql:')) postgresUrl = (await createDatabase()).url
      if (document.text.includes('/srv/user-service/'))
        oldDatabase = await oldServiceDatabase('hashed_password', [
          { id: 7, username: 'testuser', email: 'test@example.com', password: 'testpass' },
        ])
      if (document.text.includes('The examples go on from the [quick start](quick-start.md)'))
        for (const block of blocksIn(quickStart)) if (block.language === 'sh') await runBlock(block)
    }, 60_000)

    afterAll(async () => {
      await shell?.close()
      await keyward?.stop()
    })

    /** Starts in the background what a line would start in the foreground. */
    async function start(line: string): Promise<void> {
      const words = line
        .replace('npx --yes bun@1.4.5 start', 'dist/keyward serve --dev')
        .replace(/DATABASE_URL=postgresql:\S+/, `DATABASE_URL=${postgresUrl}`)
        .split(' ')
      const at = words.findIndex((word) => !word.includes('='))
      // Without `exec` a signal would end the shell and leave the server.
      const script = [...words.slice(0, at), 'exec', ...words.slice(at)].join(' ')
      const cwd = line.includes('npx ') ? home : (await shell.run('pwd')).stdout.trim()
      await keyward?.stop()
      keyward = await startServer(['bash', '-c', script], {
        cwd,
        env: { HOST: '127.0.0.1', PORT: '0', BCRYPT_COST: '10' },
      })
      const [, scheme] = /DATABASE_URL=(\w+):/.exec(line) ?? []
      if (scheme !== undefined) expect(keyward.output()).toContain(`database=${scheme}:`)
    }

    async function runBlock({ text }: Block): Promise<void> {
      // Lines that start a server or this very test run are separate parts.
      for (const part of text.split(/^(.*\bbun@1\.4\.5 .*|(?:\w+=\S+ )*\.\/keyward)$/m)) {
        const script = /bun@1\.4\.5 run (\w+)$/.exec(part)?.[1]
        if (script !== undefined) expect(manifest.scripts).toHaveProperty(script)
        else if (/bun@1\.4\.5 start$|\.\/keyward$/.test(part)) await start(part)
        else {
          const command = part
            .replaceAll('http://localhost:8000', keyward?.url ?? 'nowhere')
            .replaceAll('/srv/user-service/users.db', oldDatabase)
          const { code, stdout } = await shell.run(command)
          expect({ part, code }).toEqual({ part, code: 0 })
          // The issuer of tokens contains the port, which differs here.
          output = stdout.replaceAll(/http:\/\/localhost:\d+/g, 'http://localhost:8000')
        }
      }
    }

    test.each(blocksIn(document).map((block) => [block.title, block] as const))('%s', async (_, block) => {
      if (block.language === 'sh') await runBlock(block)
      else expect(jsonAsShown(output, block.text)).toBe(pretty(block.text))
    })
  },
)

const pretty = (json: string) => JSON.stringify(JSON.parse(json), null, 2)

describe('README and the guide name only what exists:', () => {
  test('routes', async () => {
    const { table, close } = await createTestApp({ env: { METRICS_TOKEN: 'scrape-only-9f2m4x8q' }, mailbox: true })
    await close()
    const named = [...everything.matchAll(/`(GET|POST|PUT|PATCH|DELETE) (\/[^`\s?]*)/g)].map(
      ([, method, path]) => `${method} ${path}`,
    )
    const called = [...everything.matchAll(/curl(?: -s)?(?: -X (\w+))? "?http:\/\/localhost:8000(\/[\w/.-]+)/g)].map(
      ([, method, path]) => `${method ?? 'GET'} ${path}`,
    )
    const shown = [...everything.matchAll(/<http:\/\/localhost:8000(\/[\w/.-]+)>/g)].map(([, path]) => `GET ${path}`)
    const all = [...named, ...called, ...shown]
    expect(all).toContain('GET /user/user')
    expect(all).toContain('POST /register')
    expect(all).toContain('GET /docs/guide/')
    const missing = all.filter((route) => {
      const [method = '', path = ''] = route.split(' ')
      return (
        table.find(method, path) === undefined &&
        !table.routes.some((one) => one.method === method && one.pattern === path.replace(/\{(\w+)\}/g, ':$1'))
      )
    })
    expect(missing).toEqual([])
  })

  test('settings', () => {
    // Address families of the systemd unit look like settings.
    const named = [...everything.matchAll(/\b(?!AF_)[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+\b/g)].map(([name]) => name)
    const assigned = [...everything.matchAll(/`?\b([A-Z][A-Z0-9_]+)=/g)].map(([, name]) => name!)
    expect(named).toContain('DATABASE_URL')
    // Variables of the image of PostgreSQL, of the reader's shell and applications, and of terminals (no-color.org).
    const postgres = ['POSTGRES_DB', 'POSTGRES_PASSWORD_FILE', 'POSTGRES_USER']
    const applications = ['CLIENT_ID', 'CLIENT_SECRET', 'SESSION_SECRET']
    const addresses = ['OLD_DATABASE_URL', 'NEW_DATABASE_URL', 'NEW_DATABASE_URL_FILE']
    const own = new Set<string>([
      ...settingNames,
      'TOKEN',
      'REFRESH',
      'KEY',
      'NO_COLOR',
      ...addresses,
      ...applications,
      ...postgres,
    ])
    expect([...new Set([...named, ...assigned])].filter((name) => !own.has(name))).toEqual([])
  })

  test('scripts, each of which begins with an install, as a fresh clone needs it', async () => {
    const scripts: Record<string, string> = manifest.scripts
    const text = everything + (await Bun.file(join(root, 'test', 'bench', 'README.md')).text())
    const named = [...text.matchAll(/\bbun(?:@1\.4\.5)? (?:run )?(start|(?<=run )[a-z]+)/g)].map(([, name]) => name!)
    expect(new Set(named)).toEqual(new Set(['start', 'check', 'build', 'bench', 'torture', 'fuzz']))
    const beginning = (name: string): string => {
      const first = scripts[name]!.split(' && ', 1)[0]!
      return /^bun run (\w+)$/.test(first) ? beginning(first.slice('bun run '.length)) : first
    }
    // 12.D3: the list of packages, and of their blocked scripts, would look like an error at the first start.
    const quiet = ['start', 'build']
    for (const name of named)
      expect([name, beginning(name)]).toEqual([
        name,
        `bun install --frozen-lockfile${quiet.includes(name) ? ' --silent' : ''}`,
      ])
  })

  test('files that a document of the repository links or names', async () => {
    const more = ['.github/CONTRIBUTING.md', '.github/SECURITY.md', '.github/CHANGELOG.md']
    const paths = [
      ...documents.map(({ path }) => path),
      ...[...more, 'test/bench/README.md', 'test/security/README.md'].map((path) => join(root, path)),
    ]
    const missing: string[] = []
    for (const path of paths) {
      const text = (await Bun.file(path).text()).replaceAll(/^```.*?^```$/gms, '')
      const linked = [...text.matchAll(/\]\((?!https?:|#)([^)#]+)/g)].map(([, to]) => join(dirname(path), to!))
      const named = [...text.matchAll(/`((?:src|test|drizzle|\.ci|\.github)\/[\w./-]*)/g)].map(([, to]) =>
        join(root, to!),
      )
      missing.push(...[...linked, ...named].filter((to) => !existsSync(to)).map((to) => `${path} names ${to}`))
    }
    expect(missing).toEqual([])
  })

  // To write the tables again: bun test/support/readme.ts
  test('commands, settings and metrics, in the tables that the executable generates', async () => {
    for (const [name, part] of Object.entries(await madeParts()))
      expect([name, partPattern(name).exec(everything)?.[0].split('\n')]).toEqual([name, `\n${part}\n`.split('\n')])
  })
})

test('README has at most 200 lines and no generated part', () => {
  const readme = documents.find(({ name }) => name === 'README')!.text
  expect(readme.split('\n').length).toBeLessThanOrEqual(200)
  expect(readme).not.toContain('<!--')
})
