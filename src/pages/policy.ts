const policy = (formAction: string) =>
  `default-src 'none'; style-src 'self'; img-src 'self' data:; form-action ${formAction}; base-uri 'none'; frame-ancestors 'none'`

/**
 * The Content-Security-Policy of every page. No script runs and nothing of another origin is loaded, so text that gets
 * into a page unescaped can neither act nor send anything away.
 */
export const pagePolicy = policy("'self'")

/**
 * The policy of a page whose form leads to an application in the end. Chromium and Safari apply `form-action` to every
 * redirect that follows the form, and an application may redirect again. Therefore all of https is allowed, and beside
 * it only `source`.
 * @param source the origin of a loopback address, or the scheme of an app with its colon; empty for an https address
 * @throws Error for a text that is neither; this is a defect
 */
export function policyWith(source: string): string {
  if (!/^(?:[a-z][a-z0-9+.-]*:(?:\/\/[\w.:[\]-]+)?)?$/i.test(source)) throw new Error('No source for form-action')
  return policy(`'self' https:${source && ` ${source}`}`)
}
