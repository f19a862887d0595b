import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import manifest from '../../package.json' with { type: 'json' }
import { configKeys } from '../../src/config/schema.ts'
import { createTestApp } from '../support/app.ts'
import { copyBinary, type RunningBinary, startServer } from '../support/binary.ts'
import { oldServiceDatabase } from '../support/fastapi.ts'
import { createDatabase } from '../support/postgres.ts'
import { hasPrograms } from '../support/programs.ts'
import { type Block, blocksOf, madeParts, openShell, partPattern, type Shell } from '../support/readme.ts'
import { scratchFolder } from '../support/scratch.ts'

setDefaultTimeout(60_000)

const root = join(import.meta.dir, '..', '..')
const readme = await Bun.file(join(root, 'README.md')).text()
const blocks = blocksOf(readme)

describe.skipIf(!hasPrograms('bash', 'curl'))('README’s shell blocks, one after the other', () => {
  const home = scratchFolder('readme')
  let shell: Shell
  let keyward: RunningBinary | undefined
  let postgresUrl = ''
  let output = ''
  let oldDatabase = ''

  beforeAll(async () => {
    await copyBinary(join(home, 'dist'))
    shell = openShell(home)
    postgresUrl = (await createDatabase()).url
    oldDatabase = await oldServiceDatabase('hashed_password', [
      { id: 7, username: 'testuser', email: 'test@example.com', password: 'testpass' },
    ])
  }, 60_000)

  afterAll(async () => {
    await shell?.close()
    await keyward?.stop()
  })

  /** Starts what a line would start in the foreground; the shell goes on. */
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
    keyward = await startServer(['bash', '-c', script], { cwd, env: { HOST: '127.0.0.1', PORT: '0' } })
    const [, scheme] = /DATABASE_URL=(\w+):/.exec(line) ?? []
    if (scheme !== undefined) expect(keyward.output()).toContain(`database=${scheme}:`)
  }

  async function runBlock({ text }: Block): Promise<void> {
    // Lines that would not come back, or that this test is a part of, stand on their own.
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
        output = stdout
      }
    }
  }

  test.each(
    blocks
      .filter(({ language }) => ['sh', 'json', 'text'].includes(language))
      .map((block) => [block.title, block] as const),
  )('%s', async (_, block) => {
    if (block.language === 'sh') await runBlock(block)
    else if (block.language === 'text') expect(output).toStartWith(block.text)
    else expect(volatile(JSON.parse(output))).toMatchObject(volatile(JSON.parse(block.text)))
  })
})

describe('what README names is there', () => {
  test('every route', async () => {
    const { table, close } = await createTestApp({ env: { METRICS_TOKEN: 'scrape-only-9f2m4x8q' } })
    await close()
    const named = [...readme.matchAll(/`(GET|POST|PUT|PATCH|DELETE) (\/[^`\s?]*)/g)].map(
      ([, method, path]) => `${method} ${path}`,
    )
    const called = [...readme.matchAll(/curl(?: -s)?(?: -X (\w+))? "?http:\/\/localhost:8000(\/[\w/.-]+)/g)].map(
      ([, method, path]) => `${method ?? 'GET'} ${path}`,
    )
    const shown = [...readme.matchAll(/<http:\/\/localhost:8000(\/[\w/.-]+)>/g)].map(([, path]) => `GET ${path}`)
    const all = [...named, ...called, ...shown]
    expect(all).toContain('GET /user/user')
    expect(all).toContain('POST /register')
    const missing = all.filter((route) => {
      const [method = '', path = ''] = route.split(' ')
      return (
        table.find(method, path) === undefined &&
        !table.routes.some((one) => one.method === method && one.pattern === path.replace(/\{(\w+)\}/g, ':$1'))
      )
    })
    expect(missing).toEqual([])
  })

  test('every setting', () => {
    // Address families of the systemd unit look like settings.
    const named = [...readme.matchAll(/\b(?!AF_)[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+\b/g)].map(([name]) => name)
    const assigned = [...readme.matchAll(/`?\b([A-Z][A-Z0-9_]+)=/g)].map(([, name]) => name!)
    expect(named).toContain('DATABASE_URL')
    // The token of the examples, a variable of the reader's shell.
    const own = new Set<string>([...configKeys, 'TOKEN'])
    expect([...new Set([...named, ...assigned])].filter((name) => !own.has(name))).toEqual([])
  })

  test('every script, and it begins with an install, as a fresh clone needs it', () => {
    const scripts: Record<string, string> = manifest.scripts
    const named = [...readme.matchAll(/\bbun(?:@1\.4\.5)? (?:run )?(start|(?<=run )[a-z]+)/g)].map(([, name]) => name!)
    expect(new Set(named)).toEqual(new Set(['start', 'check', 'build', 'bench', 'torture', 'fuzz']))
    const beginning = (name: string): string => {
      const first = scripts[name]!.split(' && ', 1)[0]!
      return /^bun run (\w+)$/.test(first) ? beginning(first.slice('bun run '.length)) : first
    }
    for (const name of named) expect([name, beginning(name)]).toEqual([name, 'bun install --frozen-lockfile'])
  })

  test('every file', () => {
    const named = [
      ...readme.matchAll(/(?:^|[`(])((?:src|test|drizzle|\.ci)\/[\w./-]*|[A-Z]{2,}(?:\.md)?(?=\))|\.env\.example)/gm),
    ].map(([, path]) => path!)
    expect(named).toContain('src/main.ts')
    expect(named).toContain('.ci/run')
    expect(named.filter((path) => !existsSync(join(root, path)))).toEqual([])
  })

  // To write them anew: bun test/support/readme.ts
  test('every command and every setting, in tables that say what the executable says', async () => {
    for (const [name, part] of Object.entries(await madeParts()))
      expect(partPattern(name).exec(readme)?.[0].split('\n')).toEqual(`\n${part}\n`.split('\n'))
  })
})

/** Times and what an ellipsis stands for are told by their kind alone. */
function volatile(value: unknown): Record<string, unknown> {
  const kind = (_: string, one: unknown) =>
    typeof one === 'string' ? one.replace(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/, 'a time').replace(/^eyJ.*$/, 'a token') : one
  return JSON.parse(JSON.stringify(value, kind))
}
