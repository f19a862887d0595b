import type { Entry, ValueKind } from './entries.ts'

/* The data for bash and zsh: functions that print one completion per line. Both shells run the same text. */

export const quote = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`

/**
 * Returns three functions of the shell, each with the words of a command as `$1`:
 * - `_keyward_commands` prints the commands of a group, a tab, and their descriptions. It fails for a command.
 * - `_keyward_options` does so for options.
 * - `_keyward_values` prints what comes after an option (`users list --state`) or at the place of an argument
 *   (`backup #0`): a line `file`, `any`, `one` or `list`, and then the values. It fails for a flag.
 */
export function shellData(entries: readonly Entry[]): string {
  const groups = entries.filter(({ commands }) => commands.length > 0)
  const commands = groups.map(({ path, commands }) => branch(path, commands.map(lineOf)))
  const options = entries.map(({ path, options }) => branch(path, options.map(lineOf)))
  const values = entries.flatMap((entry) => [
    ...entry.options.flatMap(({ name, value }) => (value ? [branch(`${entry.path} ${name}`, valueLines(value))] : [])),
    ...entry.arguments.map((value, at) => branch(`${entry.path} #${at}`, valueLines(value))),
  ])
  return [
    shellFunction('_keyward_commands', commands),
    shellFunction('_keyward_options', options),
    shellFunction('_keyward_values', values),
  ].join('\n')
}

const lineOf = ({ name, description }: { name: string; description: string }): string => `${name}\t${description}`

const valueLines = ({ isFile, isList, values }: ValueKind): string[] =>
  isFile ? ['file'] : values.length === 0 ? ['any'] : [isList ? 'list' : 'one', ...values]

const branch = (path: string, lines: readonly string[]): string =>
  `    ${quote(path)}) printf '%s\\n' ${lines.map(quote).join(' ')} ;;`

const shellFunction = (name: string, branches: readonly string[]): string =>
  [`${name}() {`, '  case "$1" in', ...branches, '    *) return 1 ;;', '  esac', '}', ''].join('\n')
