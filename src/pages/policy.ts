import type { ScriptName } from './scripts.ts'

/** Scripts are files of Keyward, and no text becomes a script. Only the requests of `passkey` need `connect-src`. */
const scriptPolicy = (script: ScriptName | undefined) => {
  if (script === undefined) return ''
  const connect = script === 'passkey' ? " connect-src 'self';" : ''
  return ` script-src 'self';${connect} require-trusted-types-for 'script'; trusted-types 'none';`
}

const policy = (formAction: string, script?: ScriptName) =>
  `default-src 'none';${scriptPolicy(script)} style-src 'self'; img-src 'self' data:; form-action ${formAction}; base-uri 'none'; frame-ancestors 'none'`

/**
 * The Content-Security-Policy of every page without a script. Nothing of another origin is loaded, so text that gets
 * into a page unescaped can neither act nor send anything away.
 */
export const pagePolicy = policy("'self'")

/** The Permissions-Policy of every page: no frame of another site uses passkeys. */
export const permissions = 'publickey-credentials-get=(self), publickey-credentials-create=(self)'

/**
 * The policy of a page.
 *
 * Chromium and Safari apply `form-action` to every redirect that follows a form, and an application may redirect again.
 * Where a form leads to an application in the end, all of https is allowed therefore, and beside it only `formAction`.
 * @param of.formAction the origin of a loopback address, or the scheme of an app with its colon; empty for an https
 *   address; undefined where no form leads to an application
 * @param of.script the script file that the page loads
 * @throws Error for another text as `formAction`; this is a defect
 */
export function policyOf(of: { formAction: string | undefined; script: ScriptName | undefined }): string {
  const { formAction, script } = of
  if (formAction === undefined) return policy("'self'", script)
  if (!/^(?:[a-z][a-z0-9+.-]*:(?:\/\/[\w.:[\]-]+)?)?$/i.test(formAction)) throw new Error('No source for form-action')
  return policy(`'self' https:${formAction && ` ${formAction}`}`, script)
}
