import { invalidField } from '../errors.ts'
import { FormError, parseQuery } from '../lib/form.ts'

/**
 * Refuses a query with another parameter than `known`, and a query that cannot be parsed. Elysia drops unknown
 * parameters: a list with a misspelt filter would answer everything.
 * @throws KeywardError `validation_failed`
 */
export function refuseUnknownParameters(url: string, known: readonly string[]): void {
  let names: string[] = []
  try {
    names = Object.keys(parseQuery(url))
  } catch (error) {
    if (error instanceof FormError) throw invalidField('query', 'The query is malformed, or has a parameter twice')
    throw error
  }
  if (!names.every((name) => known.includes(name)))
    throw invalidField('query', `The query has an unknown parameter. Known: ${known.join(', ')}`)
}
