import { trimTyped } from './username.ts'

const MAX_NAME = 100

/** The message of the field error when `normalizeName` returns undefined. */
export const invalidName = `The name must have 1 to ${MAX_NAME} characters and no control characters`

/**
 * Reads the name of a person: any text of 1 to 100 characters (code points) without control characters and line breaks.
 * Spaces and tabs at its ends are ignored. A name is only shown: nobody logs in with it, and many people may share one.
 * @returns undefined for any other text
 */
export function normalizeName(input: string): string | undefined {
  // A code point has at most two UTF-16 units. The first check keeps the work small for a long text.
  if (input.length > 4 * MAX_NAME || !input.isWellFormed()) return undefined
  const name = trimTyped(input)
  const isPlain = /^[^\p{Cc}\p{Zl}\p{Zp}]+$/u.test(name) && /[^\p{Z}\p{Default_Ignorable_Code_Point}]/u.test(name)
  return isPlain && [...name].length <= MAX_NAME ? name : undefined
}
