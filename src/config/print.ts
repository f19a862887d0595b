import { dotenvLine } from './dotenv.ts'
import type { LoadedConfig } from './load.ts'
import { type ConfigKey, configKeys, type DraftConfig, fileKey, keySchema } from './schema.ts'

/**
 * Returns the configuration in use in the syntax of `.env`: one line `KEY=value  # origin of the value` for each
 * setting. Secrets and passwords are masked. While `SECRET_KEY` is being replaced, comment lines list the steps of the
 * replacement.
 */
export function maskedConfig(config: DraftConfig, origins: LoadedConfig['origins']): string[] {
  const lines = configKeys.map((name) => {
    const { value, origin, meaning } = settingInUse(name, config, origins)
    return `${dotenvLine(name, value)}  # ${meaning === undefined ? origin : `${origin}: ${meaning}`}`
  })
  return config.SECRET_KEY_PREVIOUS === undefined ? lines : [...lines, ...REPLACING]
}

/** Returns the configuration in use for scripts: the value of each setting, masked as above, and its origin. */
export const configView = (config: DraftConfig, origins: LoadedConfig['origins']): object =>
  Object.fromEntries(
    configKeys.map((name) => {
      const { value, origin } = settingInUse(name, config, origins)
      return [name, { value, origin }]
    }),
  )

function settingInUse(name: ConfigKey, config: DraftConfig, origins: LoadedConfig['origins']) {
  const { secret, whenUnset, means } = keySchema(name)
  const standIn = config[name] === undefined ? (whenUnset as ConfigKey | undefined) : undefined
  const value = config[standIn ?? name]
  return {
    value: value !== undefined && secret ? '********' : printed(standIn ?? name, value),
    origin: standIn === undefined ? (origins.get(name) ?? '') : `default: ${standIn}`,
    meaning: means?.[String(value)],
  }
}

const REPLACING = [
  '# SECRET_KEY is being replaced, in three restarts of every server:',
  '# 1. SECRET_KEY=old SECRET_KEY_PREVIOUS=new  2. SECRET_KEY=new SECRET_KEY_PREVIOUS=old  3. SECRET_KEY=new',
  '# Before each step, `keyward secrets status` says whether every server is ready.',
]

/** Returns the guide's table of settings in Markdown. */
export function configTable(): string {
  const rows = configKeys.map((name) => {
    return `| \`${name}\` | ${shownDefault(name)} | ${about(name, cell)} |`
  })
  return `${['| key | default | what it does |', '| --- | --- | --- |', ...rows].join('\n')}\n`
}

/** Returns the text of `.env.example`: every setting with its description and its default, as comments. */
export function envExample(): string {
  const entries = configKeys.map((name) => {
    const sentences = wrapped(about(name).replaceAll('`', ''))
    return [...sentences, dotenvLine(name, printed(name, defaultOf(name)))].map((line) => `# ${line}`).join('\n')
  })
  return `${[EXAMPLE_HEAD, ...entries].join('\n\n')}\n`
}

/**
 * Returns the description of a setting and of the values that it takes.
 * @param mark formats a part of the text for the document
 */
function about(name: ConfigKey, mark = (part: string) => part): string {
  const { description, takes, fileForm } = keySchema(name)
  return `${mark(description)} Takes ${mark(takes)}.${fileForm ? ` Or \`${fileKey(name)}\` names a file with it.` : ''}`
}

const EXAMPLE_HEAD = [
  '# Settings of Keyward with their defaults. Copy this file to .env beside the executable, or name it with --env-file.',
  '# The environment overrides the file. `keyward config` prints the values in use, and where each came from.',
].join('\n')

/** Returns the default without `--dev`. A computed default uses the defaults of the other settings. */
function defaultOf(name: ConfigKey): unknown {
  const { default: fixed, defaultFrom } = keySchema(name)
  return defaultFrom ? defaultFrom(Object.fromEntries(configKeys.map((key) => [key, keySchema(key).default]))) : fixed
}

const printed = (name: ConfigKey, value: unknown): string => (value === undefined ? '' : keySchema(name).print(value))

function shownDefault(name: ConfigKey): string {
  const { default: fixed, defaultShown, dev } = keySchema(name)
  if (defaultShown !== undefined) return defaultShown
  if (fixed === undefined) return 'not set'
  const code = (value: unknown) => (printed(name, value) === '' ? 'empty' : `\`${printed(name, value)}\``)
  return dev?.default === undefined ? code(fixed) : `${code(fixed)}; with \`--dev\` ${code(dev.default)}`
}

/** Formats addresses as code, because Markdown would turn them into links. */
const cell = (text: string): string => text.replace(/[a-z]+:\/\/[^\s,)]+/g, '`$&`')

/** Breaks text into lines of at most 110 characters. */
const wrapped = (text: string): string[] => text.match(/\S.{0,109}(?= |$)/g) ?? []
