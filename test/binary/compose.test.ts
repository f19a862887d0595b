import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { existsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { DCLinter } from 'dclint'
import { binaryPath, type RunningBinary, startServer } from '../support/binary.ts'
import { createDatabase } from '../support/postgres.ts'
import { blocksOf, openShell, readChapter } from '../support/readme.ts'
import { scratchFolder } from '../support/scratch.ts'

setDefaultTimeout(60_000)

interface Service {
  environment: Record<string, string>
  secrets: string[]
  depends_on?: Record<string, { condition: string }>
  read_only?: boolean
  stop_grace_period?: string
}
interface Compose {
  services: Record<'keyward' | 'database', Service>
  networks: { default: { ipam: { config: { gateway: string }[] } } }
  secrets: Record<string, { file: string }>
}

const blocks = blocksOf(await readChapter('running'))
const text = blocks.find(({ language, title }) => language === 'yaml' && title.includes('Compose'))!.text
const commands = blocks.find(({ text }) => text.includes('mkdir -m 700 secrets'))!.text
const compose = Bun.YAML.parse(text) as Compose
const { keyward, database } = compose.services

const linter = new DCLinter({ rules: {}, quiet: false, debug: false, exclude: [] })

async function complaintsAbout(content: string): Promise<string[]> {
  const folder = scratchFolder('compose')
  await Bun.write(join(folder, 'compose.yaml'), content)
  return linter
    .lintFiles([folder], false)
    .flatMap(({ messages }) => messages.map(({ line, message }) => `${line}: ${message}`))
}

test('12.D8 compose.yaml of the guide passes the linter and the schema of the Compose specification', async () => {
  expect(await complaintsAbout(text)).toEqual([])
  for (const [right, wrong] of [
    ['read_only: true', 'readonly: true'],
    ["'127.0.0.1:8000:8000'", "'8000:8000'"],
  ] as const) {
    expect(text).toContain(right)
    expect([wrong, (await complaintsAbout(text.replace(right, wrong))).length > 0]).toEqual([wrong, true])
  }
})

describe('12.D8 the executable with the environment that compose.yaml and the Dockerfile give it', () => {
  const folder = scratchFolder('compose-secrets')
  const fileOf = (secret: string) => join(folder, compose.secrets[secret]!.file)
  const contentOf = async (secret: string) => (await Bun.file(fileOf(secret)).text()).trim()
  let running: RunningBinary | undefined

  beforeAll(async () => {
    const shell = openShell(folder)
    expect((await shell.run(commands)).code).toBe(0)
    await shell.close()
  })
  afterAll(() => running?.stop())

  test('the commands of the guide write every secret, and only the owner may enter their folder', async () => {
    for (const secret of Object.keys(compose.secrets)) {
      expect([secret, existsSync(fileOf(secret))]).toEqual([secret, true])
      expect(statSync(fileOf(secret)).mode & 0o777).toBe(0o444)
    }
    expect(statSync(join(folder, 'secrets')).mode & 0o777).toBe(0o700)
    expect((await contentOf('postgres_password')).length).toBe(48)
    expect(await contentOf('database_url')).toBe(
      `postgresql://${database.environment.POSTGRES_USER}:${await contentOf('postgres_password')}@database/${database.environment.POSTGRES_DB}`,
    )
  })

  test('starts on PostgreSQL and trusts the gateway of the network', async () => {
    const mounted: Record<string, string> = {}
    for (const [name, value] of Object.entries(keyward.environment)) {
      const [, secret] = /^\/run\/secrets\/(\w+)$/.exec(value) ?? []
      if (secret !== undefined) expect(keyward.secrets).toContain(secret)
      mounted[name] = secret === undefined ? value : fileOf(secret)
    }
    const { url } = await createDatabase()
    mounted.DATABASE_URL_FILE = join(folder, 'of-the-test')
    await Bun.write(mounted.DATABASE_URL_FILE, url)
    const dockerfile = await Bun.file(join(import.meta.dir, '..', '..', 'Dockerfile')).text()
    const image = [...dockerfile.matchAll(/^ENV (\w+)=(.*)$/gm)].map(([, name, value]) => [name, value])
    running = await startServer([await binaryPath(), 'serve'], {
      env: { ...Object.fromEntries(image), ...mounted, HOST: '127.0.0.1', PORT: '0' },
    })
    expect(running.output()).toContain('postgresql')
    const metadata = await running.request('GET', '/.well-known/oauth-authorization-server')
    expect(await metadata.json()).toMatchObject({ issuer: keyward.environment.PUBLIC_URL })
    expect(keyward.environment.TRUSTED_PROXIES).toBe(compose.networks.default.ipam.config[0]!.gateway)
  })
})
