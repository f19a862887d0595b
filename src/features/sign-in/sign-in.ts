import type { Clock, EpochMs } from '../../lib/clock.ts'
import type { Locale } from '../../lib/locale.ts'
import type { MaybePromise } from '../../lib/maybe-promise.ts'
import { type Random, randomId } from '../../lib/random.ts'
import type { Accounts, BrowserLogin, BrowserPasskeyLogin, SignedIn } from '../accounts/accounts.ts'
import type { Secrets } from '../secrets/secrets.ts'
import type { BrowserSession, Sessions } from '../sessions/sessions.ts'
import type { Level } from '../tokens/tokens.ts'
import { createSealedRequests, isFormCookie } from './sealed-request.ts'

/** The purpose of a sign-in: where the browser goes afterwards, and what the page shows. */
export interface SignInRequest {
  /** `authorize`: back to the authorization endpoint. `device`: to the page for a code. `account`: to the account. */
  to: 'authorize' | 'device' | 'account'
  /** The query of `/authorize` or `/device`, without `?`; for `account` the page below it, such as `password`, or empty. */
  query: string
  /** When the request first came. A login since then satisfies `prompt=login` (OpenID Connect Core 3.1.2.1). */
  seen: EpochMs
  /** The name to fill in (`login_hint`). */
  hint?: string
  /** The language that the application asks for (`ui_locales`). */
  locale?: Locale
  /** The level that the application asks for, when the session does not have it. */
  level?: Level
  /** The user whom a page asks for consent. The answer of another user in the same browser does not count. */
  userId?: number
  /** The name of the application that asks. */
  clientName?: string
  /** The source for `form-action`, see `policyWith` in `pages/policy.ts`; undefined when the request leads to no application. */
  formAction?: string
}

export interface SignInNeeds {
  clock: Clock
  random: Random
  secrets: Pick<Secrets, 'macKeys'>
  accounts: Pick<Accounts, 'logInBrowser' | 'logInWithPasskeyInBrowser'>
  sessions: Pick<Sessions, 'findByCookie' | 'endBrowser'>
}

/** How people sign in with a browser: its session, and the requests that the pages carry from one to the next. */
export interface SignIn {
  /**
   * Returns the value of the form cookie for a browser.
   * @param sent the value that the browser sent; a new one is made when it sent none or another text
   */
  formCookie(sent: string | undefined): string
  /**
   * Seals a request for one hour and for the browser that has this form cookie. Only the query is long, so the text has
   * at most some 6,000 characters.
   */
  seal(request: SignInRequest, formCookie: string): string
  /** Opens a sealed request. @returns undefined after an hour, and when the text was not made for this browser */
  open(text: string, formCookie: string | undefined): SignInRequest | undefined
  /**
   * Returns the path that begins the request of a sealed text anew, also when the hour is over. When the text was not
   * made for this browser, it is `/sign-in`.
   */
  startAgain(text: string, formCookie: string | undefined): string
  /** Returns the path to which the browser goes after a sign-in. @param text the sealed request */
  afterwards(text: string, request: SignInRequest): string
  /** Makes the text of the hidden field `form` of a form that carries no request. It is good as long as the cookie. */
  formToken(formCookie: string): string
  isFormToken(text: string, formCookie: string | undefined): boolean
  /** The session of a browser. @returns undefined when the cookie is absent, altered, or of a session that has ended */
  browserOf(cookie: string | undefined): MaybePromise<BrowserSession | undefined>
  /** Logs in with a password, see `Accounts.logInBrowser`. */
  logIn(login: BrowserLogin): Promise<SignedIn>
  /** Logs in with a passkey, see `Accounts.logInWithPasskeyInBrowser`. */
  logInWithPasskey(login: BrowserPasskeyLogin): Promise<SignedIn>
  /** Ends the session of a browser. */
  signOut(session: BrowserSession, ip: string): Promise<void>
}

export function createSignIn({ clock, random, secrets, accounts, sessions }: SignInNeeds): SignIn {
  const sealed = createSealedRequests(() => secrets.macKeys('page_request'))
  const read = (text: string, formCookie: string | undefined) => sealed.open(text, { formCookie, now: clock.now() })
  return {
    formCookie: (sent) => (sent !== undefined && isFormCookie(sent) ? sent : randomId(random)),
    seal: (request, formCookie) => sealed.seal(request, { formCookie, now: clock.now() }),
    open(text, formCookie) {
      const opened = read(text, formCookie)
      return opened && !opened.isOver ? opened.request : undefined
    },
    startAgain(text, formCookie) {
      const request = read(text, formCookie)?.request
      return request && request.to !== 'account' ? `/${request.to}?${request.query}` : '/sign-in'
    },
    afterwards(text, { to, query }) {
      if (to === 'authorize') return `/authorize/resume?request=${text}`
      if (to === 'device') return `/device?${query}`
      return query === '' ? '/account' : `/account/${query}`
    },
    formToken: sealed.formToken,
    isFormToken: sealed.isFormToken,
    browserOf: (cookie) => (cookie === undefined ? undefined : sessions.findByCookie(cookie)),
    logIn: accounts.logInBrowser,
    logInWithPasskey: accounts.logInWithPasskeyInBrowser,
    signOut: (session, ip) => sessions.endBrowser(session, ip),
  }
}
