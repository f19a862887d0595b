import { UsageError } from './context.ts'

/** An option `--name VALUE`. */
export const option = (valueHint: string, description: string) => ({ type: 'string', valueHint, description }) as const

export const requiredOption = (valueHint: string, description: string) =>
  ({ ...option(valueHint, description), required: true }) as const

export const positional = (valueHint: string, description: string) =>
  ({ type: 'positional', valueHint, description, required: true }) as const

export const flag = (description: string) => ({ type: 'boolean', description }) as const

/** @throws UsageError, whose message begins with `what`, if `text` is not a whole number from 1 to `highest` */
export function wholeNumber(what: string, text: string, highest: number): number {
  const number = /^[1-9]\d*$/.test(text) ? Number(text) : Number.NaN
  if (!(number <= highest)) throw new UsageError(`${what} takes a whole number from 1 to ${highest}`)
  return number
}
