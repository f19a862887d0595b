const policy = (formAction: string, hasScript = false) =>
  `default-src 'none';${hasScript ? " script-src 'self';" : ''} style-src 'self'; img-src 'self' data:; form-action ${formAction}; base-uri 'none'; frame-ancestors 'none'`

/**
 * The Content-Security-Policy of every page. No script runs and nothing of another origin is loaded, so text that gets
 * into a page unescaped can neither act nor send anything away.
 */
export const pagePolicy = policy("'self'")

/**
 * The policy of a page.
 *
 * Chromium and Safari apply `form-action` to every redirect that follows a form, and an application may redirect again.
 * Where a form leads to an application in the end, all of https is allowed therefore, and beside it only `formAction`.
 * @param of.formAction the origin of a loopback address, or the scheme of an app with its colon; empty for an https
 *   address; undefined where no form leads to an application
 * @param of.hasScript true for a page that loads a script file of Keyward
 * @throws Error for another text as `formAction`; this is a defect
 */
export function policyOf({ formAction, hasScript }: { formAction: string | undefined; hasScript: boolean }): string {
  if (formAction === undefined) return policy("'self'", hasScript)
  if (!/^(?:[a-z][a-z0-9+.-]*:(?:\/\/[\w.:[\]-]+)?)?$/i.test(formAction)) throw new Error('No source for form-action')
  return policy(`'self' https:${formAction && ` ${formAction}`}`, hasScript)
}
