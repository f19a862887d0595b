import { UsageError } from './context.ts'

/** Makes an optional option with a value, such as `--name VALUE`. The help text shows `valueHint` for VALUE. */
export const option = (valueHint: string, description: string) => ({ type: 'string', valueHint, description }) as const

export const requiredOption = (valueHint: string, description: string) =>
  ({ ...option(valueHint, description), required: true }) as const

export const positional = (valueHint: string, description: string) =>
  ({ type: 'positional', valueHint, description, required: true }) as const

export const optionalPositional = (valueHint: string, description: string) =>
  ({ type: 'positional', valueHint, description, required: false }) as const

export const flag = (description: string) => ({ type: 'boolean', description }) as const

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
