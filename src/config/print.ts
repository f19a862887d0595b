import { dotenvLine } from './dotenv.ts'
import type { ConfigKey, DraftConfig } from './schema.ts'
import { configKeys, keySchema } from './schema.ts'

/** The effective configuration, one `KEY=value` a line in the syntax of `.env`; secrets and passwords are masked. */
export const maskedConfig = (config: DraftConfig): string[] =>
  configKeys.map((name) => {
    const { secret, print } = keySchema(name)
    const value = config[name]
    if (value === undefined) return dotenvLine(name, '')
    return dotenvLine(name, secret ? '********' : print(value))
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
    const { description, takes, print } = keySchema(name)
    const value = defaultOf(name)
    const sentences = wrapped(`${description} Takes ${takes}.`.replaceAll('`', ''))
    return [...sentences, dotenvLine(name, value === undefined ? '' : print(value))]
      .map((line) => `# ${line}`)
      .join('\n')
  })
  return `${[EXAMPLE_HEAD, ...entries].join('\n\n')}\n`
}

const EXAMPLE_HEAD = [
  '# Settings of Keyward with their defaults. Copy this file to .env beside the executable, or name it with --env-file.',
  '# The environment wins over the file. `keyward config` prints what is in force.',
].join('\n')

/** The default of production; one that is computed is computed from the other defaults. */
function defaultOf(name: ConfigKey): unknown {
  const { default: fixed, defaultFrom } = keySchema(name)
  return defaultFrom ? defaultFrom(Object.fromEntries(configKeys.map((key) => [key, keySchema(key).default]))) : fixed
}

function shownDefault(name: ConfigKey): string {
  const { default: fixed, defaultShown, dev, print } = keySchema(name)
  if (defaultShown !== undefined) return defaultShown
  if (fixed === undefined) return 'not set'
  const code = (value: unknown) => (print(value) === '' ? 'empty' : `\`${print(value)}\``)
  return dev?.default === undefined ? code(fixed) : `${code(fixed)}; with \`--dev\` ${code(dev.default)}`
}

/** Addresses are set as code, or Markdown would link them. */
const cell = (text: string): string => text.replace(/[a-z]+:\/\/[^\s,)]+/g, '`$&`')

function wrapped(text: string, width = 110): string[] {
  const lines: string[] = []
  for (const word of text.split(' ')) {
    const last = lines.at(-1)
    if (last !== undefined && last.length + 1 + word.length <= width) lines[lines.length - 1] = `${last} ${word}`
    else lines.push(word)
  }
  return lines
}
