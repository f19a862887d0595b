import { parseArgs } from 'node:util'
import type { ArgsDef } from 'citty'
import { nearMiss } from '../config/names.ts'
import { UsageError } from './context.ts'

/** Makes an optional option with a value, such as `--name VALUE`. The help text shows `valueHint` for VALUE. */
export const option = (valueHint: string, description: string) => ({ type: 'string', valueHint, description }) as const

export const requiredOption = (valueHint: string, description: string) =>
  ({ ...option(valueHint, description), required: true }) as const

/** An option that takes one of `options`. `run` refuses others. */
export const choice = <const Value extends string>(valueHint: string, options: readonly Value[], description: string) =>
  ({ type: 'enum', valueHint, description, options: options as Value[] }) as const

/** An option that takes several of `options`, separated by commas. The command itself checks them. */
export const listOption = (valueHint: string, options: readonly string[], description: string) =>
  ({ ...option(valueHint, description), options }) as const

export const requiredList = (valueHint: string, options: readonly string[], description: string) =>
  ({ ...requiredOption(valueHint, description), options }) as const

/** An option that may be given several times. The function `AllValues` returns its values; `args` has only the last one. */
export const repeatedOption = (valueHint: string, description: string) =>
  option(valueHint, `${description}; give the option again for more`)

/** Returns every value of an option, in order; undefined when the option is not given. An empty value counts as none. */
export type AllValues = (option: string) => string[] | undefined

/** Makes `AllValues` of the words of a command line that `checkArguments` has accepted. */
export const allValues =
  (words: readonly string[], args: ArgsDef): AllValues =>
  (name) => {
    const options = Object.entries(args).map(
      ([key, { type }]) => [key, { type: type === 'boolean' ? 'boolean' : 'string', multiple: true } as const] as const,
    )
    const { values } = parseArgs({ args: [...words], options: Object.fromEntries(options), strict: false })
    const found = values[name] as string[] | undefined
    return found?.filter((value) => value !== '')
  }

export const positional = (valueHint: string, description: string) =>
  ({ type: 'positional', valueHint, description, required: true }) as const

export const optionalPositional = (valueHint: string, description: string) =>
  ({ type: 'positional', valueHint, description, required: false }) as const

/** An argument that is one of `options`. `run` refuses others. */
export const positionalChoice = (valueHint: string, options: readonly string[], description: string) =>
  ({ ...positional(valueHint, description), options }) as const

export const flag = (description: string) => ({ type: 'boolean', description }) as const

export const jsonFlag = flag('Print JSON for scripts')

export const jsonLinesFlag = flag('Print JSON for scripts, one object per line')

/**
 * Parses the value of an option or argument.
 * @param what the name of the option or argument, such as `--days`, for the message
 * @throws UsageError when `text` is not a whole number from 1 to `highest`
 */
export function wholeNumber(what: string, text: string, highest: number): number {
  const number = /^[1-9]\d*$/.test(text) ? Number(text) : Number.NaN
  if (!(number <= highest)) throw new UsageError(`${what} takes a whole number from 1 to ${highest}`)
  return number
}

/**
 * Checks the value of an option or argument.
 * @param what the name of the option or argument, such as `--state`, for the message
 * @throws UsageError when `text` is none of `options`
 */
export function requireChoice(what: string, text: string, options: readonly string[]): void {
  if (options.includes(text)) return
  const meant = nearMiss(text, options, true)
  throw new UsageError(
    `${what} takes one of ${options.join(', ')}${meant === undefined ? '' : `; did you mean ${meant}?`}`,
  )
}
