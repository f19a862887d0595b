import { existsSync } from 'node:fs'
import { Check } from 'typebox/schema'
import type { Random } from '../lib/random.ts'
import { devSecretPath } from './dev-secret-path.ts'
import type { DotenvFile } from './dotenv.ts'
import { limitProblems } from './limits.ts'
import { nearMiss } from './names.ts'
import type { ConfigProblem } from './problems.ts'
import { ConfigError } from './problems.ts'
import type { ConfigKey, DraftConfig } from './schema.ts'
import { configKeys, configSchema, fileKey, keySchema, settingNames } from './schema.ts'
import { readSecretFile } from './secret-file.ts'

export interface LoadInput {
  env: Readonly<Record<string, string | undefined>>
  dotenv?: DotenvFile
  /** True with `--dev`: some defaults differ, and `SECRET_KEY` may be missing. */
  dev: boolean
  /**
   * Makes the new `SECRET_KEY` that an error message suggests when `SECRET_KEY` is missing or refused. Without `random`,
   * the message suggests none.
   */
  random?: Random
}

export interface LoadedConfig {
  config: DraftConfig
  /**
   * The origin of each value, for a person: `not set`, `default`, `--dev`, `environment`, or a file such as
   * `/srv/.env:2`.
   */
  origins: ReadonlyMap<ConfigKey, string>
  /**
   * Warnings about names in the environment that look like a misspelt setting, about unknown names in the `.env` file,
   * and about a `.env` file that another user owns, or that other users can read although it contains a secret.
   */
  warnings: readonly ConfigProblem[]
}

/**
 * Reads the settings: first from the environment, then from the `.env` file, then the default. An empty value counts as
 * unset, except for a setting with `emptyIsValue`. A setting with `fileForm`, such as a secret or `DATABASE_URL`, may
 * also be in a file, whose path is in `<KEY>_FILE`.
 * @returns a configuration with a `SECRET_KEY`; with `--dev` the `SECRET_KEY` may be missing
 * @throws ConfigError with all problems of the settings at once
 */
export function loadConfig(input: LoadInput): LoadedConfig {
  const { env, dotenv, dev, random } = input
  const problems: ConfigProblem[] = dotenv ? dotenvProblems(dotenv) : []
  const values: Record<string, unknown> = {}
  const sources = new Map<ConfigKey, string | undefined>()
  const origins = new Map<ConfigKey, string>()
  for (const name of configKeys) {
    const schema = keySchema(name, dev)
    const given = find(name, input)
    if (given && 'problem' in given) {
      problems.push(given.problem)
      continue
    }
    sources.set(name, given?.source)
    const value = given ? schema.read(given.text) : (schema.defaultFrom?.(values) ?? schema.default)
    const needed = required.includes(name) && !(dev && name === 'SECRET_KEY')
    if (given ? !Check(schema, value) : value === undefined && needed) {
      const got = given ? `got ${given.got ?? schema.got(given.text)}` : 'is not set'
      const message =
        name === 'SECRET_KEY' && !given && devSecretIn(values)
          ? `is not set, but ${devSecretIn(values)} is there: add --dev if this is a development database`
          : withLine(name, `${got}; takes ${schema.takes}`, random)
      problems.push({ key: name, source: given?.source, message })
    } else {
      if (value !== undefined) values[name] = value
      origins.set(name, given?.origin ?? defaultOrigin(name, value, dev))
    }
  }
  // `config` has only the settings that passed their own checks. `contradictions` finds settings that do not fit each
  // other.
  const config = values as DraftConfig
  for (const [key, message] of contradictions(config, { found: problems, dev }))
    problems.push({ key, source: sources.get(key), message })
  if (problems.length > 0) throw new ConfigError(problems)
  return {
    config: Object.freeze(config),
    origins,
    warnings: [...(dotenv ? [...unknownLines(dotenv), ...fileWarnings(dotenv)] : []), ...environmentWarnings(env)],
  }
}

/**
 * Returns the path of the file with the development secret; undefined when no command with `--dev` has created the
 * file.
 */
function devSecretIn({ DATABASE_URL }: Partial<DraftConfig>): string | undefined {
  const path = DATABASE_URL && devSecretPath(DATABASE_URL)
  return path !== undefined && existsSync(path) ? path : undefined
}

function defaultOrigin(name: ConfigKey, value: unknown, dev: boolean): string {
  if (value === undefined) return 'not set'
  return dev && keySchema(name).dev?.default !== undefined ? '--dev' : 'default'
}

const required: readonly string[] = configSchema.required

/**
 * Returns the setting that has the same value as `JWT_SECRET`; undefined when there is none. Services that verify
 * tokens also know `JWT_SECRET`, so it must differ from the secrets that never leave Keyward.
 */
export const jwtSecretClash = ({ JWT_SECRET, SECRET_KEY, SECRET_KEY_PREVIOUS }: DraftConfig): ConfigKey | undefined => {
  if (JWT_SECRET === undefined) return undefined
  if (JWT_SECRET === SECRET_KEY) return 'SECRET_KEY'
  return JWT_SECRET === SECRET_KEY_PREVIOUS ? 'SECRET_KEY_PREVIOUS' : undefined
}

export const clashMessage = (other: ConfigKey): string =>
  `got the value of ${other}; takes another secret: services that verify tokens share it, ${other} never leaves Keyward`

function* contradictions(
  config: Partial<DraftConfig>,
  { found, dev }: { found: readonly ConfigProblem[]; dev: boolean },
): Iterable<[ConfigKey, string]> {
  const { JWT_ALG, JWT_COMPAT, JWT_SECRET, LIMITS = [], SMTP_URL, MAIL_FROM, PAGES, LINK_URL } = config
  for (const problem of limitProblems(LIMITS)) yield ['LIMITS', problem]
  const refused = found.some(({ key }) => key === 'JWT_SECRET' || key === fileKey('JWT_SECRET'))
  if (JWT_ALG === 'HS256' && JWT_SECRET === undefined && !refused)
    yield ['JWT_SECRET', `is not set; takes ${keySchema('JWT_SECRET').takes}: JWT_ALG=HS256 signs with it`]
  if (JWT_COMPAT === 'fastapi' && JWT_ALG !== undefined && JWT_ALG !== 'HS256')
    yield ['JWT_COMPAT', `got "fastapi" with JWT_ALG=${JWT_ALG}; takes it with JWT_ALG=HS256 only`]
  if (SMTP_URL !== undefined && MAIL_FROM === undefined && !found.some(({ key }) => key === 'MAIL_FROM'))
    yield ['MAIL_FROM', `is not set; takes ${keySchema('MAIL_FROM').takes}: mails of SMTP_URL come from it`]
  if (
    PAGES === 'off' &&
    SMTP_URL !== undefined &&
    LINK_URL === undefined &&
    !found.some(({ key }) => key === 'LINK_URL')
  )
    yield ['LINK_URL', `is not set; takes ${keySchema('LINK_URL').takes}: with PAGES=off the links of mails lead there`]
  // With `--dev` and without SMTP_URL, mails go to a mailbox in memory, so SMTP_URL is not required.
  if (
    config.REQUIRE_EMAIL_VERIFICATION === 'true' &&
    !dev &&
    SMTP_URL === undefined &&
    !found.some(({ key }) => key === 'SMTP_URL' || key === fileKey('SMTP_URL'))
  )
    yield ['SMTP_URL', `is not set; takes ${keySchema('SMTP_URL').takes}: REQUIRE_EMAIL_VERIFICATION=true sends mails`]
  const { WEBAUTHN_RP_ID: rpId, PUBLIC_URL } = config
  if (rpId !== undefined && PUBLIC_URL !== undefined && !isDomainOf(rpId, new URL(PUBLIC_URL).hostname))
    yield ['WEBAUTHN_RP_ID', `got "${rpId}"; takes the host of PUBLIC_URL, or a domain above it such as example.com`]
  const hasFile = config.DATABASE_URL?.dialect === 'sqlite' && config.DATABASE_URL.path !== ':memory:'
  if (
    config.ADMIN_EMAIL !== undefined &&
    config.DATABASE_URL !== undefined &&
    !hasFile &&
    !dev &&
    SMTP_URL === undefined &&
    !found.some(({ key }) => key === 'SMTP_URL' || key === fileKey('SMTP_URL'))
  )
    yield [
      'SMTP_URL',
      `is not set; takes ${keySchema('SMTP_URL').takes}: without an SQLite file ADMIN_EMAIL gets a mail`,
    ]
  const clash = jwtSecretClash(config as DraftConfig)
  if (clash) yield ['JWT_SECRET', clashMessage(clash)]
}

interface Given {
  text: string
  /** The file that contains the value, with the line for a `.env` file; undefined for the environment. */
  source?: string
  origin: string
  /**
   * Replaces the value in an error message. An error message must show no part of the file that `<KEY>_FILE` names,
   * because the path may be wrong and the file may contain any secret.
   */
  got?: string
}

/**
 * Finds the text of a setting in the environment, in the `.env` file, or in the file that `<KEY>_FILE` names.
 * @returns undefined when the setting is not set; a problem when both the setting and `<KEY>_FILE` are set, or when the
 * named file cannot be used
 */
function find(name: ConfigKey, input: LoadInput): Given | { problem: ConfigProblem } | undefined {
  const given = findText(name, input)
  const named = keySchema(name).fileForm && findText(fileKey(name), input)
  if (!named) return given
  const key = fileKey(name)
  if (given)
    return {
      problem: { key, source: named.source, message: `is set beside ${name} (${given.origin}); set one of them` },
    }
  const path = named.text.trim()
  const read = readSecretFile(path)
  if ('message' in read) return { problem: { key, source: named.source, message: `${path} ${read.message}` } }
  const got = `${[...read.text].length} characters`
  const origin = `${path}, named by ${key} (${named.origin})`
  return { text: read.text, source: path, origin, ...(!keySchema(name).secret && { got }) }
}

function findText(name: string, { env, dotenv }: LoadInput): Given | undefined {
  const isSet = (text: string | undefined): text is string =>
    text !== undefined && (text.trim() !== '' || (isKey(name) && keySchema(name).emptyIsValue === true))
  const own = env[name]
  if (isSet(own)) return { text: own, origin: 'environment' }
  const entry = dotenv?.entries.get(name)
  if (!dotenv || !entry || !isSet(entry.value)) return undefined
  const source = `${dotenv.path}:${entry.line}`
  return { text: entry.value, source, origin: source }
}

const isKey = (name: string): name is ConfigKey => (configKeys as readonly string[]).includes(name)

function withLine(name: ConfigKey, message: string, random: Random | undefined): string {
  if (name !== 'SECRET_KEY' || random === undefined) return message
  const fresh = Buffer.from(random.bytes(32)).toString('hex')
  return `${message}. A fresh one, for the .env file or the environment; keep it, and use the same on every replica:\nSECRET_KEY=${fresh}`
}

function dotenvProblems({ path, entries, problems }: DotenvFile): ConfigProblem[] {
  const lines = problems.map(({ line, message }) => ({ source: `${path}:${line}`, message }))
  const names = [...entries].flatMap(([name, { line }]) => {
    const meant = nearMiss(name, settingNames, true)
    return meant ? [{ key: name, source: `${path}:${line}`, message: didYouMean(meant) }] : []
  })
  return [...lines, ...names]
}

/** Returns a warning for each line of a `.env` file whose key is not a setting. */
const unknownLines = ({ path, entries }: DotenvFile): ConfigProblem[] =>
  [...entries].flatMap(([name, { line }]) =>
    settingNames.includes(name)
      ? []
      : [{ key: name, source: `${path}:${line}`, message: 'is not a setting of Keyward' }],
  )

/** The settings for addresses, which are secret only when the address contains a password. */
const hasPassword: readonly ConfigKey[] = ['DATABASE_URL', 'SMTP_URL']

/**
 * Returns the warnings about a `.env` file that another user owns, or that other users can read although it contains a
 * secret.
 */
function fileWarnings({ path, entries, isOpenToOthers, isOfAnotherUser }: DotenvFile): ConfigProblem[] {
  const messages: string[] = []
  if (isOfAnotherUser) messages.push('this file belongs to another user, who can change every setting in it')
  const secret = configKeys.find((name) => {
    const text = entries.get(name)?.value ?? ''
    return (
      text !== '' &&
      (keySchema(name).secret || (hasPassword.includes(name) && keySchema(name).got(text).includes('********')))
    )
  })
  if (isOpenToOthers && secret !== undefined)
    messages.push(`others can read this file, which sets ${secret}; run: chmod 600 ${path}`)
  return messages.map((message) => ({ source: path, message }))
}

function environmentWarnings(env: LoadInput['env']): ConfigProblem[] {
  return Object.entries(env).flatMap(([name, text]) => {
    // For a service named "keyward", Kubernetes sets variables such as KEYWARD_PORT=tcp://… in the pods of the same
    // namespace. Such variables are not misspelt settings.
    if (text === undefined || text.startsWith('tcp://')) return []
    const meant = nearMiss(name, settingNames, false)
    return meant ? [{ key: name, message: didYouMean(meant) }] : []
  })
}

const didYouMean = (meant: string): string => `is not a setting of Keyward, did you mean ${meant}?`

/** True when a browser may use passkeys of a domain at this host: the same, or a domain of more than one label above it. */
const isDomainOf = (domain: string, host: string): boolean =>
  domain === host || (domain.includes('.') && !/\d$/.test(domain) && host.endsWith(`.${domain}`))
