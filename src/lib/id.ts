/**
 * Reads the id of a row: a whole number from 1 to 2^53 - 1 in decimal digits.
 * @returns undefined for any other text
 */
export function readId(text: string): number | undefined {
  const id = /^[1-9]\d{0,15}$/.test(text) ? Number(text) : Number.NaN
  return id <= Number.MAX_SAFE_INTEGER ? id : undefined
}
