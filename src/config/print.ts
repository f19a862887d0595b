import { dotenvLine } from './dotenv.ts'
import { type ConfigKey, configKeys, type DraftConfig, keySchema } from './schema.ts'

/** The effective configuration, one `KEY=value` a line in the syntax of `.env`; secrets and passwords are masked. */
export const maskedConfig = (config: DraftConfig): string[] =>
  configKeys.map((name) => {
    const value = config[name]
    return dotenvLine(name, value !== undefined && keySchema(name).secret ? '********' : printed(name, value))
  })

/** The guide's table of settings in Markdown. */
export function configTable(): string {
  const rows = configKeys.map((name) => {
    const { description, takes } = keySchema(name)
    return `| \`${name}\` | ${shownDefault(name)} | ${cell(description)} Takes ${cell(takes)}. |`
  })
  return `${['| key | default | what it does |', '| --- | --- | --- |', ...rows].join('\n')}\n`
}

/** The text of `.env.example`: every setting, commented out, with its default. */
export function envExample(): string {
  const entries = configKeys.map((name) => {
    const { description, takes } = keySchema(name)
    const sentences = wrapped(`${description} Takes ${takes}.`.replaceAll('`', ''))
    return [...sentences, dotenvLine(name, printed(name, defaultOf(name)))].map((line) => `# ${line}`).join('\n')
  })
  return `${[EXAMPLE_HEAD, ...entries].join('\n\n')}\n`
}

const EXAMPLE_HEAD = [
  '# Settings of Keyward with their defaults. Copy this file to .env beside the executable, or name it with --env-file.',
  '# The environment overrides the file. `keyward config` prints the values in use.',
].join('\n')

/** The default of production; a computed one follows from the other defaults. */
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

/** Addresses are set as code, or Markdown would link them. */
const cell = (text: string): string => text.replace(/[a-z]+:\/\/[^\s,)]+/g, '`$&`')

/** Lines of at most 110 characters. */
const wrapped = (text: string): string[] => text.match(/\S.{0,109}(?= |$)/g) ?? []
