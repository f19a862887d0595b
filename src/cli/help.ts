import type { ArgsDef, CommandDef, CommandMeta } from 'citty'
import { exitCodes, usualExits } from './exit-codes.ts'
import { settingsArgs } from './settings.ts'
import { type CommandNode, commandOf, type Groups, isGroup, visibleNames } from './tree.ts'

declare module 'citty' {
  interface CommandMeta {
    /** Command lines for the help text, without the name of the executable. Each one can be run. */
    examples?: readonly string[]
    /** Every exit code of the command, if they are not `usualExits`. */
    exits?: readonly number[]
  }
}

/** The width of a help text. */
const WIDTH = 80
const GAP = 2

/** Makes the help text of a command or a group. */
export async function helpOf({ command, words }: CommandNode): Promise<string> {
  const { description = '', examples = [], exits = usualExits } = metaOf(command)
  const name = ['keyward', ...words].join(' ')
  const sections = isGroup(command)
    ? [
        [...wrap(`${description}.`, WIDTH), '', `Usage: ${name} COMMAND`],
        ['Commands:', ...columns(await descriptionsOf(command.subCommands))],
        [`${name} COMMAND --help says more about a command.`],
      ]
    : [
        [...wrap(`${description}.`, WIDTH), '', ...usageOf(name, argsOf(command))],
        section('Arguments', argumentRows(argsOf(command))),
        section(
          'Options',
          optionRows(argsOf(command), (option) => !(option in settingsArgs)),
        ),
        section(
          'Settings',
          optionRows(argsOf(command), (option) => option in settingsArgs),
        ),
        examples.length === 0 ? [] : ['Examples:', ...examples.map((line) => `  ${exampleLine(line)}`)],
        ['Exit status:', ...columns(exits.map((code) => [String(code), exitCodes[code]!]))],
      ]
  return sections
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n'))
    .join('\n\n')
}

type Row = readonly [name: string, text: string]

const metaOf = ({ meta = {} }: CommandDef): CommandMeta => meta as CommandMeta

const argsOf = ({ args }: CommandDef): ArgsDef => (args ?? {}) as ArgsDef

/** Puts the name of the executable before the first word of an example that is no program of a pipe. */
const exampleLine = (line: string): string => (line.includes('keyward ') ? line : `keyward ${line}`)

const section = (title: string, rows: readonly Row[]): string[] =>
  rows.length === 0 ? [] : [`${title}:`, ...columns(rows)]

const descriptionsOf = async (groups: Groups): Promise<Row[]> =>
  Promise.all(
    visibleNames(groups).map(async (name) => [name, metaOf(await commandOf(groups, name)).description ?? ''] as const),
  )

function usageOf(name: string, args: ArgsDef): string[] {
  const required = Object.entries(args).filter(([, { type, required }]) => type !== 'positional' && required)
  const words = [
    ...Object.values(args)
      .filter(({ type }) => type === 'positional')
      .map(({ valueHint, required }) => (required ? valueHint : `[${valueHint}]`)),
    ...required.map(([option, { valueHint }]) => `--${option} ${valueHint}`),
    '[OPTION]...',
  ]
  const indent = ' '.repeat('Usage: '.length)
  return wrap(`Usage: ${name} ${words.join(' ')}`, WIDTH - indent.length).map((line, at) =>
    at === 0 ? line : indent + line,
  )
}

const argumentRows = (args: ArgsDef): Row[] =>
  Object.values(args)
    .filter(({ type }) => type === 'positional')
    .map((arg) => [arg.valueHint ?? '', textOf(arg)])

const optionRows = (args: ArgsDef, isWanted: (option: string) => boolean): Row[] =>
  Object.entries(args)
    .filter(([option, { type }]) => type !== 'positional' && isWanted(option))
    .map(([option, arg]) => [arg.type === 'boolean' ? `--${option}` : `--${option} ${arg.valueHint}`, textOf(arg)])

/** The most values of an option that the help text lists. */
const LISTED = 16

function textOf(arg: ArgsDef[string]): string {
  const { description = '', default: preset } = arg
  const options = 'options' in arg ? (arg.options as readonly string[]) : []
  const listed = options.length > 0 && options.length <= LISTED ? `: ${options.join(', ')}` : ''
  return `${description}${listed}${preset === undefined ? '' : ` (default ${preset})`}`
}

/** Formats names and texts in two columns. */
function columns(rows: readonly Row[]): string[] {
  const width = Math.max(...rows.map(([name]) => name.length))
  const indent = GAP + width + GAP
  return rows.flatMap(([name, text]) =>
    wrap(text, WIDTH - indent).map((line, at) => `  ${(at === 0 ? name : '').padEnd(width)}  ${line}`.trimEnd()),
  )
}

/** Breaks a text between words into lines of at most `width` characters; a longer word has a line of its own. */
function wrap(text: string, width: number): string[] {
  const lines: string[] = []
  for (const word of text.split(' ')) {
    const last = lines.at(-1)
    if (last !== undefined && last.length + 1 + word.length <= width) lines[lines.length - 1] = `${last} ${word}`
    else lines.push(word)
  }
  return lines
}
