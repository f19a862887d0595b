import { expect, test } from 'bun:test'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseDotenv } from '../../src/config/dotenv.ts'
import { loadConfig } from '../../src/config/load.ts'
import { configTable, envExample, maskedConfig } from '../../src/config/print.ts'
import { configKeys } from '../../src/config/schema.ts'
import { seededRandom } from '../support/random.ts'
import { scratchFolder } from '../support/scratch.ts'

const SECRET_KEY = '4be0643f1d98573b97cdca98a65347dd6c1f02b7d58ea3f94be0643f1d985730'
const METRICS_TOKEN = 'k9f2m4x8q1w7z3v5'
const random = seededRandom()

const printed = (...given: Parameters<typeof loadConfig>) => {
  const { config, origins } = loadConfig(...given)
  return maskedConfig(config, origins)
}

test('the effective configuration is printed in full, secrets and passwords masked', () => {
  const env = {
    SECRET_KEY,
    METRICS_TOKEN,
    DATABASE_URL: 'postgresql+psycopg://ada:hunter2@host/db',
    TRUSTED_PROXIES: '::1,10.0.0.0/8',
  }
  const lines = printed({ env, dev: false, random })
  expect(lines.map((line) => line.split('=', 1)[0] ?? '')).toEqual([...configKeys])
  expect(lines).toContain('SECRET_KEY=********  # environment')
  expect(lines).toContain('METRICS_TOKEN=********  # environment')
  expect(lines).toContain('JWT_SECRET=  # not set')
  expect(lines).toContain('DATABASE_URL=postgresql://ada:********@host/db  # environment')
  expect(lines).toContain('TRUSTED_PROXIES=::1,10.0.0.0/8  # environment')
  expect(lines).toContain('PORT=8000  # default')
  for (const hidden of [SECRET_KEY, METRICS_TOKEN, 'hunter2']) expect(lines.join('\n')).not.toContain(hidden)
})

test('a value with spaces is quoted, so that the lines are a .env file', () => {
  const env = { SECRET_KEY, DATABASE_URL: 'sqlite:///./my users.db' }
  expect(printed({ env, dev: false, random })[0]).toBe('DATABASE_URL="sqlite:///./my users.db"  # environment')
  const { entries, problems } = parseDotenv(printed({ env, dev: false, random }).join('\n'))
  expect([problems, entries.get('DATABASE_URL')?.value, entries.get('JWT_SECRET')?.value]).toEqual([
    [],
    'sqlite:///./my users.db',
    '',
  ])
})

test('12.D4 each value comes with its origin, and the one in force is printed', () => {
  const folder = scratchFolder('config')
  const file = join(folder, 'jwt')
  writeFileSync(file, `${SECRET_KEY.replaceAll('4', '5')}\n`)
  const text = `HASH_NICE=3\nPORT=9001\nJWT_SECRET_FILE=${file}\n`
  const dotenv = { path: '/srv/.env', ...parseDotenv(text) }
  const lines = printed({ env: { SECRET_KEY, PORT: '9002' }, dotenv, dev: false, random })
  for (const line of [
    'SECRET_KEY=********  # environment',
    'SECRET_KEY_PREVIOUS=  # not set',
    `JWT_SECRET=********  # ${file}, named by JWT_SECRET_FILE (/srv/.env:3)`,
    'JWT_AUDIENCE=http://localhost:9002  # default: PUBLIC_URL',
    'PUBLIC_URL=http://localhost:9002  # default',
    'PORT=9002  # environment',
    'HASH_NICE=3  # /srv/.env:1',
    'LOG_FORMAT=auto  # default: text on a terminal, else JSON',
  ])
    expect(lines).toContain(line)
  const dev = printed({ env: { PORT: '0' }, dev: true, random })
  for (const line of ['LOG_FORMAT=text  # --dev', 'PORT=0  # environment: the system chooses'])
    expect(dev).toContain(line)
})

test('12.A3 the three restarts are said while SECRET_KEY is being replaced', () => {
  const env = { SECRET_KEY, SECRET_KEY_PREVIOUS: SECRET_KEY.replaceAll('4', '5') }
  expect(printed({ env, dev: false, random }).slice(-3)).toEqual([
    '# SECRET_KEY is being replaced, in three restarts of every server:',
    '# 1. SECRET_KEY=old SECRET_KEY_PREVIOUS=new  2. SECRET_KEY=new SECRET_KEY_PREVIOUS=old  3. SECRET_KEY=new',
    '# Before each step, `keyward secrets status` says whether every server is ready.',
  ])
})

test('the table has a row of three cells for every key', () => {
  const rows = configTable().trimEnd().split('\n')
  expect(rows.slice(2).map((row) => /^\| `(\w+)` \| [^|]+ \| [^|]+\. \|$/.exec(row)?.[1] ?? row)).toEqual([
    ...configKeys,
  ])
  expect(rows).toContain(
    '| `LOG_FORMAT` | `auto`; with `--dev` `text` | JSON lines for machines or plain text for a person: `auto` is text on a terminal, else JSON. Takes auto, json or text. |',
  )
  expect(configTable()).toContain('| `PUBLIC_URL` | `http://localhost:<PORT>` |')
  expect(configTable()).toContain('`sqlite:///./relative.db`, `sqlite:////absolute.db`')
})

// To write it anew: bun -e "import { envExample } from './src/config/print.ts'; await Bun.write('.env.example', envExample())"
test('.env.example is what the schema says', async () => {
  expect(await Bun.file(`${import.meta.dir}/../../.env.example`).text()).toBe(envExample())
})

test('.env.example sets nothing as it is, and the defaults when its comments are opened', () => {
  expect(parseDotenv(envExample()).entries.size).toBe(0)
  const opened = parseDotenv(envExample().replace(/^# (?=[A-Z_0-9]+=)/gm, ''))
  expect(opened.problems).toEqual([])
  expect([...opened.entries.keys()]).toEqual([...configKeys])
  const env = { SECRET_KEY }
  const dotenv = { path: '.env.example', ...opened }
  expect(loadConfig({ env, dotenv, dev: false, random }).config).toEqual(loadConfig({ env, dev: false, random }).config)
})
