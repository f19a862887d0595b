import { expect, test } from 'bun:test'
import { parseDotenv } from '../../src/config/dotenv.ts'
import { loadConfig } from '../../src/config/load.ts'
import { configTable, envExample, maskedConfig } from '../../src/config/print.ts'
import { configKeys } from '../../src/config/schema.ts'
import { seededRandom } from '../support/random.ts'

const SECRET_KEY = '4be0643f1d98573b97cdca98a65347dd6c1f02b7d58ea3f94be0643f1d985730'
const METRICS_TOKEN = 'k9f2m4x8q1w7z3v5'
const random = seededRandom()

test('the effective configuration is printed in full, secrets and passwords masked', () => {
  const env = {
    SECRET_KEY,
    METRICS_TOKEN,
    DATABASE_URL: 'postgresql+psycopg://ada:hunter2@host/db',
    TRUSTED_PROXIES: '::1,10.0.0.0/8',
  }
  const lines = maskedConfig(loadConfig({ env, dev: false, random }).config)
  expect(lines.map((line) => line.split('=', 1)[0] ?? '')).toEqual([...configKeys])
  expect(lines).toContain('SECRET_KEY=********')
  expect(lines).toContain('METRICS_TOKEN=********')
  expect(lines).toContain('JWT_SECRET=')
  expect(lines).toContain('DATABASE_URL=postgresql://ada:********@host/db')
  expect(lines).toContain('TRUSTED_PROXIES=::1,10.0.0.0/8')
  expect(lines).toContain('PORT=8000')
  for (const hidden of [SECRET_KEY, METRICS_TOKEN, 'hunter2']) expect(lines.join('\n')).not.toContain(hidden)
})

test('a value with spaces is quoted, so that the lines are a .env file', () => {
  const { config } = loadConfig({ env: { SECRET_KEY, DATABASE_URL: 'sqlite:///./my users.db' }, dev: false, random })
  expect(maskedConfig(config)[0]).toBe('DATABASE_URL="sqlite:///./my users.db"')
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
  expect(loadConfig({ env, dotenv, dev: false, random })).toEqual(loadConfig({ env, dev: false, random }))
})
