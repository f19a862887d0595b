import { KeywardError } from '../errors.ts'
import { FormError, parseQuery } from '../lib/form.ts'

/**
 * The parameters of the query of a page.
 * @throws KeywardError `invalid_request` for a parameter that is given twice, and for a malformed query
 */
export function queryOf(request: Request): Record<string, string> {
  try {
    return parseQuery(request.url)
  } catch (error) {
    if (error instanceof FormError) throw new KeywardError('invalid_request', { sentence: error.message })
    throw error
  }
}
