import { KeywardError } from '../errors.ts'

/**
 * Requires that the form of a request comes from a page of this service. The header `Sec-Fetch-Site` decides if the
 * browser sends it. Older browsers, and all browsers over plain http, send only `Origin`. A request with neither header
 * is refused: every browser sends `Origin` with a form.
 * @param own the origin of PUBLIC_URL
 * @throws KeywardError `csrf_refused`
 */
export function requireSameOrigin({ headers }: Request, own: string): void {
  const site = headers.get('sec-fetch-site')
  const isOwn = site === null ? headers.get('origin') === own : site === 'same-origin'
  if (!isOwn) throw new KeywardError('csrf_refused')
}
