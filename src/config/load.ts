import { Check } from 'typebox/schema'
import type { Random } from '../lib/random.ts'
import type { DotenvFile } from './dotenv.ts'
import { limitProblems } from './limits.ts'
import { nearMiss } from './names.ts'
import type { ConfigProblem } from './problems.ts'
import { ConfigError } from './problems.ts'
import type { ConfigKey, DraftConfig } from './schema.ts'
import { configKeys, configSchema, keySchema } from './schema.ts'

export interface LoadInput {
  env: Readonly<Record<string, string | undefined>>
  dotenv?: DotenvFile
  /** `--dev`: some defaults differ, and `SECRET_KEY` may be missing. */
  dev: boolean
  /** For the fresh `SECRET_KEY` in the message when it is missing or refused. */
  random: Random
}

export interface LoadedConfig {
  config: DraftConfig
  /** Names in the environment that look like a misspelt setting. */
  warnings: readonly ConfigProblem[]
}

/**
 * Reads the settings: the environment first, then the `.env` file, then the default. An empty value counts as unset.
 * Outside `--dev` the configuration returned has its `SECRET_KEY`.
 * @throws ConfigError with everything that is wrong, at once
 */
export function loadConfig({ env, dotenv, dev, random }: LoadInput): LoadedConfig {
  const problems: ConfigProblem[] = dotenv ? dotenvProblems(dotenv) : []
  const values: Record<string, unknown> = {}
  for (const name of configKeys) {
    const schema = keySchema(name, dev)
    const given = find(name, env, dotenv)
    const value = given ? schema.read(given.text) : (schema.defaultFrom?.(values) ?? schema.default)
    const needed = required.includes(name) && !(dev && name === 'SECRET_KEY')
    if (given ? !Check(schema, value) : value === undefined && needed) {
      const got = given ? `got ${schema.got(given.text)}` : 'is not set'
      const message = withLine(name, `${got}; takes ${schema.takes}`, random)
      problems.push({ key: name, source: given?.source, message })
    } else if (value !== undefined) values[name] = value
  }
  // Settings that failed are absent here; the rules below check those that are present.
  const config = values as DraftConfig
  for (const [key, message] of contradictions(config, problems))
    problems.push({ key, source: find(key, env, dotenv)?.source, message })
  if (problems.length > 0) throw new ConfigError(problems)
  return { config: Object.freeze(config), warnings: environmentWarnings(env) }
}

const required: readonly string[] = configSchema.required

/** `JWT_SECRET` is shared with other services, so it must differ from the secrets that never leave Keyward. */
export const jwtSecretClash = ({ JWT_SECRET, SECRET_KEY, SECRET_KEY_PREVIOUS }: DraftConfig): ConfigKey | undefined => {
  if (JWT_SECRET === undefined) return undefined
  if (JWT_SECRET === SECRET_KEY) return 'SECRET_KEY'
  return JWT_SECRET === SECRET_KEY_PREVIOUS ? 'SECRET_KEY_PREVIOUS' : undefined
}

export const clashMessage = (other: ConfigKey): string =>
  `got the value of ${other}; takes another secret: services that verify tokens share it, ${other} never leaves Keyward`

function* contradictions(config: Partial<DraftConfig>, found: readonly ConfigProblem[]): Iterable<[ConfigKey, string]> {
  const { JWT_ALG, JWT_COMPAT, JWT_SECRET, LIMITS = [] } = config
  for (const problem of limitProblems(LIMITS)) yield ['LIMITS', problem]
  const refused = found.some(({ key }) => key === 'JWT_SECRET')
  if (JWT_ALG === 'HS256' && JWT_SECRET === undefined && !refused)
    yield ['JWT_SECRET', `is not set; takes ${keySchema('JWT_SECRET').takes}: JWT_ALG=HS256 signs with it`]
  if (JWT_COMPAT === 'fastapi' && JWT_ALG !== undefined && JWT_ALG !== 'HS256')
    yield ['JWT_COMPAT', `got "fastapi" with JWT_ALG=${JWT_ALG}; takes it with JWT_ALG=HS256 only`]
  const clash = jwtSecretClash(config as DraftConfig)
  if (clash) yield ['JWT_SECRET', clashMessage(clash)]
}

interface Given {
  text: string
  source?: string
}

function find(name: ConfigKey, env: LoadInput['env'], dotenv: DotenvFile | undefined): Given | undefined {
  const isSet = (text: string | undefined): text is string =>
    text !== undefined && (text.trim() !== '' || keySchema(name).emptyIsValue === true)
  const own = env[name]
  if (isSet(own)) return { text: own }
  const entry = dotenv?.entries.get(name)
  return dotenv && entry && isSet(entry.value)
    ? { text: entry.value, source: `${dotenv.path}:${entry.line}` }
    : undefined
}

function withLine(name: ConfigKey, message: string, random: Random): string {
  if (name !== 'SECRET_KEY') return message
  const fresh = Buffer.from(random.bytes(32)).toString('hex')
  return `${message}. A fresh one, for the .env file or the environment; keep it, and use the same on every replica:\nSECRET_KEY=${fresh}`
}

function dotenvProblems({ path, entries, problems }: DotenvFile): ConfigProblem[] {
  const lines = problems.map(({ line, message }) => ({ source: `${path}:${line}`, message }))
  const names = [...entries].flatMap(([name, { line }]) => {
    const meant = nearMiss(name, configKeys, true)
    return meant ? [{ key: name, source: `${path}:${line}`, message: didYouMean(meant) }] : []
  })
  return [...lines, ...names]
}

function environmentWarnings(env: LoadInput['env']): ConfigProblem[] {
  return Object.entries(env).flatMap(([name, text]) => {
    // Kubernetes sets KEYWARD_PORT=tcp://… in every pod beside a service named "keyward".
    if (text === undefined || text.startsWith('tcp://')) return []
    const meant = nearMiss(name, configKeys, false)
    return meant ? [{ key: name, message: didYouMean(meant) }] : []
  })
}

const didYouMean = (meant: string): string => `is not a setting of Keyward, did you mean ${meant}?`
