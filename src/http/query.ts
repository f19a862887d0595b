import { t } from 'elysia'
import { invalidField } from '../errors.ts'
import { FormError, parseQuery } from '../lib/form.ts'
import { refusedWith } from './schemas.ts'

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

/** Returns the schema of an optional parameter that is the id of a user. */
export const userIdParameter = (field: string, description: string) =>
  t.Optional(
    t.Integer({
      minimum: 1,
      maximum: Number.MAX_SAFE_INTEGER,
      description,
      examples: [1],
      ...refusedWith('The id of a user is a whole number from 1 on', field),
    }),
  )
