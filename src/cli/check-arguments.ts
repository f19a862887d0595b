import type { CommandDef } from 'citty'
import { nearMiss } from '../config/names.ts'
import { configKeys } from '../config/schema.ts'
import { requireChoice } from './arguments.ts'
import { UsageError } from './context.ts'
import { optionsOf, positionalsOf, valuesOf } from './tree.ts'

/**
 * Refuses unknown arguments and values, which citty ignores. Otherwise a mistyped option would have no effect and cause
 * no error.
 * @throws UsageError for an unknown argument, for too many arguments, and for a value that is no choice
 */
export async function checkArguments(command: CommandDef, args: string[]): Promise<void> {
  if (args.length === 0) return
  const { values, positionals } = await parse(command, args)
  const taken = positionalsOf(command)
  if (positionals.length > taken.length)
    throw new UsageError(taken.length === 0 ? 'This command takes no arguments' : 'Too many arguments')
  for (const [name, arg] of optionsOf(command)) {
    const value = values[name]
    if (arg.type === 'enum' && typeof value === 'string') requireChoice(`--${name}`, value, valuesOf(arg))
  }
  for (const [at, value] of positionals.entries()) {
    const [, arg] = taken[at]!
    if (valuesOf(arg).length > 0) requireChoice(arg.valueHint!, value, valuesOf(arg))
  }
}

async function parse(command: CommandDef, args: string[]) {
  const { parseArgs } = await import('node:util')
  const options = optionsOf(command).map(
    ([name, { type }]) => [name, { type: type === 'boolean' ? 'boolean' : 'string' } as const] as const,
  )
  try {
    return parseArgs({ args, options: Object.fromEntries(options), allowPositionals: true })
  } catch (error) {
    if ((error as { code?: string }).code?.startsWith('ERR_PARSE_ARGS') !== true) throw error
    const message = (error as Error).message.split(/\. |\.?\n/)[0]?.replace(/'(\w)'/, "'-$1'") ?? ''
    const unknown = /^Unknown option '--([\w-]+)'/.exec(message)?.[1]
    const names = options.map(([name]) => name)
    throw new UsageError(`${message}${unknown === undefined ? '' : hintFor(unknown, names)}`)
  }
}

/** Returns the option or the setting that an unknown option probably means, as the end of a sentence. */
function hintFor(unknown: string, options: readonly string[]): string {
  const meant = nearMiss(unknown, options, true)
  if (meant !== undefined) return `; did you mean --${meant}?`
  const name = unknown.toUpperCase().replaceAll('-', '_')
  const setting = configKeys.find((key) => key === name)
  return setting === undefined ? '' : `; set ${setting} in the environment or in the .env file`
}
