import { KeywardError } from '../errors.ts'
import type { Next } from './next.ts'

/**
 * Sends the browser to the page for the second factor, or to the page that adds one, when a login was refused only for
 * that. The cookie `second` then has the `mfa_token`.
 * @param error what the login has thrown
 * @param sealed the sealed request of the login
 * @throws `error` itself when it is another one
 */
export function toSecond(error: unknown, sealed: string): Next {
  if (!(error instanceof KeywardError)) throw error
  const { code, challenge } = error
  const page = code === 'mfa_required' ? 'second' : code === 'mfa_enrollment_required' ? 'enroll' : undefined
  if (page === undefined || challenge?.token === undefined) throw error
  return {
    next: `/sign-in/${page}?request=${sealed}`,
    cookies: [{ name: 'second', value: challenge.token, maxAgeSeconds: challenge.expiresIn }],
  }
}
