import type { SignIn, SignInRequest } from '../features/sign-in/sign-in.ts'
import { DAY, SECOND } from '../lib/clock.ts'
import type { CookieChange } from './cookies.ts'
import type { Next } from './next.ts'
import type { Visit } from './pages.tsx'

/** The form cookie of a page with a form: the value for the texts of the form, and the change that sets the cookie. */
export interface FormCookie {
  value: string
  change: CookieChange
}

/** Returns the form cookie of a visit: the one that the browser sent, kept for another 24 hours, or a new one. */
export function formCookieOf(signIn: Pick<SignIn, 'formCookie'>, visit: Pick<Visit, 'cookie'>): FormCookie {
  const value = signIn.formCookie(visit.cookie('form'))
  return { value, change: { name: 'form', value, maxAgeSeconds: DAY / SECOND } }
}

/**
 * Sends the browser to the page to log in, or with `page` to the page to register, to that to prove again who one is, or to
 * another service, and afterwards back.
 * @param asked why the login is needed; it is sealed for this browser
 */
export function toSignIn(
  signIn: Pick<SignIn, 'formCookie' | 'seal'>,
  visit: Pick<Visit, 'cookie'>,
  asked: SignInRequest,
  page: 'sign-in' | 'sign-in/step-up' | 'sign-up' | `social/${string}` = 'sign-in',
): Next {
  const { value, change } = formCookieOf(signIn, visit)
  return { next: `/${page}?request=${signIn.seal(asked, value)}`, cookies: [change] }
}
