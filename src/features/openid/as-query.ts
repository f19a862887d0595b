import { KeywardError } from '../../errors.ts'

/** The most characters of a query that is made of a form. */
const MAX_QUERY = 4_096

/**
 * Makes a query of the form that another site posted. A browser sends no Lax cookie with such a form, but sends it with
 * the GET to which the form is redirected.
 * @throws KeywardError `invalid_request` for a longer form
 */
export function asQuery(form: Record<string, string>): string {
  const query = new URLSearchParams(form).toString()
  if (query.length > MAX_QUERY) throw new KeywardError('invalid_request', { sentence: 'The form is too long' })
  return query
}
