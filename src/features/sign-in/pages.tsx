import { Elysia } from 'elysia'
import { type FieldError, KeywardError, MISSING } from '../../errors.ts'
import { noteUser } from '../../http/caller.ts'
import type { HttpKit } from '../../http/kit.ts'
import type { Clock } from '../../lib/clock.ts'
import type { Next } from '../../pages/next.ts'
import type { FormProblem, Pages, Visit } from '../../pages/pages.tsx'
import { shown, submitted } from '../../pages/routes.ts'
import { cookiesOf } from '../../pages/session-cookies.ts'
import { toSecond } from '../../pages/to-second.ts'
import { formCookieOf, toSignIn } from '../../pages/to-sign-in.ts'
import type { Accounts, BrowserLogin, SignedIn } from '../accounts/accounts.ts'
import { readCredential } from './factor-input.ts'
import type { SocialProvider } from './pages/providers.tsx'
import { deadRequestView, signInView } from './pages/sign-in.tsx'
import { signedOutView, signOutView } from './pages/sign-out.tsx'
import { type LegalLinks, signUpClosed, signUpSent, signUpView } from './pages/sign-up.tsx'
import type { SignIn, SignInRequest } from './sign-in.ts'

export interface SignInPagesNeeds {
  /** Undefined when `PAGES` is `off`, and where pages may not use cookies; then this feature has no page routes. */
  pages: Pages | undefined
  clock: Clock
  accounts: Pick<Accounts, 'needsProof' | 'register' | 'askToRegister'>
  /** How long "keep me logged in" lasts (REMEMBER_ME_DAYS); 0 hides the box. */
  rememberDays: number
  /** The RP ID of passkeys; undefined with `PASSKEYS=off`. */
  rpId: string | undefined
  /** True when anybody may register. */
  mayRegister: boolean
  /** The least number of characters in a password. */
  minLength: number
  legal: LegalLinks
  /** Other services with which people can log in; none by default. */
  providers?: () => Promise<readonly SocialProvider[]>
}

/**
 * The pages to log in, to register and to log out. They do what `POST /token` and `POST /register` do, by the same use
 * cases.
 */
export function signInPages(signIn: SignIn, needs: SignInPagesNeeds, kit: HttpKit) {
  const {
    pages,
    accounts,
    clock,
    rememberDays,
    rpId,
    mayRegister,
    minLength,
    legal,
    providers = async () => [],
  } = needs
  const routes = new Elysia({ name: 'keyward.sign-in-pages' }).use(kit.plugin)
  if (pages === undefined) return routes

  /** The form to log in, or the page that says that the request cannot be used. */
  async function view(visit: Visit, problem?: FormProblem) {
    const sealed = visit.input.request ?? ''
    const formCookie = visit.cookie('form')
    const request = signIn.open(sealed, formCookie)
    if (!request) return deadRequestView(visit, signIn.startAgain(sealed, formCookie))
    const browser = await visit.browser()
    const username = browser?.user.username
    const may = { mayRemember: rememberDays > 0, mayRegister, rpId, providers: await providers() }
    return signInView(visit, { request, sealed, username, ...may, problem })
  }

  async function signUp(visit: Visit, problem?: FormProblem) {
    const sealed = visit.input.request ?? ''
    const formCookie = visit.cookie('form')
    if (!mayRegister) return signUpClosed(visit)
    const request = signIn.open(sealed, formCookie)
    if (!request) return deadRequestView(visit, signIn.startAgain(sealed, formCookie))
    return signUpView(visit, { request, sealed, minLength, legal, providers: await providers(), problem })
  }

  const mayRemember = ({ input }: Visit) => rememberDays > 0 && input.remember === 'on'

  /** Logs in, and leads to the next page, which may ask for the second factor. */
  async function logIn(
    visit: Visit,
    asked: SignInRequest,
    isRemembered: boolean,
    way: (from: Omit<BrowserLogin, 'identifier' | 'password'>) => Promise<SignedIn>,
  ): Promise<Next> {
    const { request, cookie } = visit
    const { request: sealed = '' } = visit.input
    const former = await visit.browser()
    try {
      const signedIn = await way({
        deviceToken: cookie('device'),
        origin: kit.origin(request),
        client: kit.clientPrefix(request),
        browser: { isRemembered, replaces: former?.id },
      })
      noteUser(request, signedIn.userId)
      return { next: signIn.afterwards(sealed, asked), cookies: cookiesOf(visit, signedIn, rememberDays) }
    } catch (error) {
      return toSecond(error, sealed)
    }
  }

  const logInWithPassword = (visit: Visit, asked: SignInRequest, isRemembered: boolean): Promise<Next> => {
    const { username: identifier = '', password = '' } = visit.input
    const trustedToken = visit.cookie('trusted')
    return logIn(visit, asked, isRemembered, (from) => signIn.logIn({ identifier, password, trustedToken, ...from }))
  }

  return routes
    .get(
      '/sign-in',
      ({ request }) =>
        pages.show(request, async (visit) => {
          const browser = await visit.browser()
          if (visit.input.request === undefined)
            return browser
              ? { next: '/account' }
              : toSignIn(signIn, visit, { to: 'account', query: '', seen: clock.now() })
          const asked = signIn.open(visit.input.request, visit.cookie('form'))
          // The page was left behind by a login, and the person has come back to it.
          if (browser && asked && browser.authTime >= asked.seen)
            return { next: signIn.afterwards(visit.input.request, asked) }
          return view(visit)
        }),
      {
        ...open,
        limit: { none: 'it reads the session of a cookie with a MAC' },
        response: { ...shown('invalid_or_expired'), 303: submitted()[303] },
        detail: { summary: 'Log in', tags: ['pages'] },
      },
    )
    .post(
      '/sign-in',
      ({ request }) =>
        pages.submit(request, {
          async act(visit) {
            const { request: sealed = '', username = '', password = '' } = visit.input
            const asked = signIn.open(sealed, visit.cookie('form'))
            if (!asked) throw new KeywardError('csrf_refused')
            // An empty field is refused here, because the use case would count it as a failed login.
            const errors: FieldError[] = []
            if (username.trim() === '') errors.push({ field: 'username', message: MISSING })
            if (password === '') errors.push({ field: 'password', message: MISSING })
            if (errors.length > 0) throw new KeywardError('validation_failed', { errors })
            return logInWithPassword(visit, asked, mayRemember(visit))
          },
          again: view,
        }),
      {
        ...open,
        limit: 'login',
        parse: 'none',
        response: submitted('invalid_credentials', 'rate_limited', 'overloaded'),
        detail: { summary: 'Check the password, and begin a session', tags: ['pages'] },
      },
    )
    .post(
      '/sign-in/passkey',
      ({ request }) =>
        pages.submit(request, {
          async act(visit) {
            const asked = signIn.open(visit.input.request ?? '', visit.cookie('form'))
            if (!asked) throw new KeywardError('csrf_refused')
            const response = readCredential(visit.input.credential ?? '')
            return logIn(visit, asked, mayRemember(visit), (from) => signIn.logInWithPasskey({ response, ...from }))
          },
          again: view,
        }),
      {
        ...open,
        limit: ['passkey', 'login'],
        parse: 'none',
        response: submitted('invalid_passkey', 'unknown_passkey', 'webauthn_failed', 'rate_limited'),
        detail: { summary: 'Check a passkey, and begin a session', tags: ['pages'] },
      },
    )
    .get(
      '/sign-up',
      ({ request }) =>
        pages.show(request, async (visit) => {
          if ('sent' in visit.input) return signUpSent(visit)
          if (visit.input.request !== undefined || !mayRegister) return signUp(visit)
          return toSignIn(signIn, visit, { to: 'account', query: '', seen: clock.now() }, 'sign-up')
        }),
      {
        ...open,
        limit: { none: 'it reads no data' },
        response: { ...shown('invalid_or_expired', 'registration_closed'), 303: submitted()[303] },
        detail: { summary: 'Register', tags: ['pages'] },
      },
    )
    .post(
      '/sign-up',
      ({ request }) =>
        pages.submit(request, {
          async act(visit) {
            const { request: sealed = '', email = '', username = '', password = '' } = visit.input
            const asked = signIn.open(sealed, visit.cookie('form'))
            if (!asked) throw new KeywardError('csrf_refused')
            const registration = { email, username, password, locale: visit.locale, ...kit.requester(request) }
            if (accounts.needsProof) {
              await accounts.askToRegister(registration)
              return '/sign-up?sent'
            }
            await accounts.register(registration)
            try {
              return await logInWithPassword(visit, asked, false)
            } catch (error) {
              if (!(error instanceof KeywardError)) throw error
              // The account exists. Its owner can log in when the load or the limit is over.
              return { next: `/sign-in?request=${sealed}` }
            }
          },
          again: signUp,
        }),
      {
        ...open,
        limit: ['register', 'login'],
        parse: 'none',
        response: submitted(
          'registration_closed',
          'email_taken',
          'username_taken',
          'rate_limited',
          'overloaded',
          'mail_not_configured',
        ),
        detail: { summary: 'Create the account, and log in', tags: ['pages'] },
      },
    )
    .get(
      '/sign-out',
      ({ request }) =>
        pages.show(request, async (visit) => {
          const browser = await visit.browser()
          if (!browser) return signedOutView(visit)
          const { value, change } = formCookieOf(signIn, visit)
          return { ...signOutView(visit, signIn.formToken(value)), cookies: [change] }
        }),
      {
        ...open,
        limit: { none: 'it reads the session of a cookie with a MAC' },
        response: shown(),
        detail: { summary: 'Log out', tags: ['pages'] },
      },
    )
    .post(
      '/sign-out',
      ({ request }) =>
        pages.submit(request, {
          async act(visit) {
            const { form = '' } = visit.input
            if (!signIn.isFormToken(form, visit.cookie('form'))) throw new KeywardError('csrf_refused')
            const browser = await visit.browser()
            if (browser) await signIn.signOut(browser, kit.clientIp(request))
            return { next: '/sign-out', cookies: [{ name: 'session', value: null }] }
          },
          again: async () => undefined,
        }),
      {
        ...open,
        limit: { none: 'it ends the session of a cookie with a MAC' },
        parse: 'none',
        response: submitted(),
        detail: { summary: 'End the session of the browser', tags: ['pages'] },
      },
    )
}

const open = { open: true, page: true } as const
