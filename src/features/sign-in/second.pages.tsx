import { Elysia } from 'elysia'
import { KeywardError } from '../../errors.ts'
import { noteUser } from '../../http/caller.ts'
import type { HttpKit } from '../../http/kit.ts'
import type { FormProblem, Pages, View, Visit } from '../../pages/pages.tsx'
import { optionsAnswer, shown, submitted } from '../../pages/routes.ts'
import { cookiesOf } from '../../pages/session-cookies.ts'
import type { Accounts } from '../accounts/accounts.ts'
import type { Sessions } from '../sessions/sessions.ts'
import { readAnswer } from './factor-input.ts'
import { deadLoginView, proveView } from './pages/factors/prove.tsx'
import { deadRequestView } from './pages/sign-in.tsx'
import type { SignIn } from './sign-in.ts'

export interface SecondPagesNeeds {
  /** Undefined when `PAGES` is `off`, and where pages may not use cookies; then this feature has no page routes. */
  pages: Pages | undefined
  accounts: Pick<Accounts, 'answerFactorInBrowser'>
  sessions: Pick<Sessions, 'describeFactor'>
  /** How long "keep me logged in" lasts (REMEMBER_ME_DAYS). */
  rememberDays: number
}

/** The page of a login that waits for its second factor. It does what `POST /token/mfa` does. */
export function secondPages(signIn: SignIn, needs: SecondPagesNeeds, kit: HttpKit) {
  const { pages, accounts, sessions, rememberDays } = needs
  const routes = new Elysia({ name: 'keyward.second-pages' }).use(kit.plugin)
  if (pages === undefined) return routes

  const tokenOf = (visit: Visit): string => {
    const token = visit.cookie('second')
    if (token === undefined) throw new KeywardError('mfa_token_expired')
    return token
  }

  async function view(visit: Visit, problem?: FormProblem): Promise<View> {
    const sealed = visit.input.request ?? ''
    const formCookie = visit.cookie('form')
    const request = signIn.open(sealed, formCookie)
    if (!request) return deadRequestView(visit, signIn.startAgain(sealed, formCookie))
    const dead = deadLoginView(visit, `/sign-in?request=${sealed}`)
    if (problem?.code === 'mfa_token_expired') return dead
    try {
      const login = { token: tokenOf(visit), isBrowser: true, withOptions: false }
      const { methods, trustDays } = await sessions.describeFactor(login)
      return proveView(visit, { page: '/sign-in/second', methods, request, sealed, problem, trustDays })
    } catch (error) {
      if (error instanceof KeywardError && error.code === 'mfa_token_expired') return dead
      throw error
    }
  }

  return routes
    .get('/sign-in/second', ({ request }) => pages.show(request, view), {
      ...open,
      limit: { none: 'it reads a login by a MAC' },
      response: shown('mfa_token_expired'),
      detail: { summary: 'Show the second factor of a login', tags: ['pages'] },
    })
    .post(
      '/sign-in/second',
      ({ request }) =>
        pages.submit(request, {
          async act(visit) {
            const { request: sealed = '' } = visit.input
            const asked = signIn.open(sealed, visit.cookie('form'))
            if (!asked) throw new KeywardError('csrf_refused')
            const answer = readAnswer(visit.input)
            const former = await visit.browser()
            const signedIn = await accounts.answerFactorInBrowser({
              token: tokenOf(visit),
              answer,
              origin: kit.origin(request),
              browser: { replaces: former?.id },
              trustDevice: visit.input.trust === 'on',
            })
            noteUser(request, signedIn.userId)
            return { next: signIn.afterwards(sealed, asked), cookies: cookiesOf(visit, signedIn, rememberDays) }
          },
          again: view,
        }),
      {
        ...open,
        limit: 'mfa',
        parse: 'none',
        response: submitted(
          'invalid_code',
          'webauthn_failed',
          'totp_locked',
          'mfa_token_expired',
          'rate_limited',
          'overloaded',
        ),
        detail: { summary: 'Check the second factor, and begin a session', tags: ['pages'] },
      },
    )
    .post(
      '/sign-in/second/options',
      ({ request }) =>
        pages.submit(request, {
          async act(visit) {
            const login = { token: tokenOf(visit), isBrowser: true, withOptions: true }
            const { webauthn } = await sessions.describeFactor(login)
            if (!webauthn) throw new KeywardError('mfa_token_expired')
            return Response.json({ options: webauthn })
          },
          again: async () => undefined,
        }),
      {
        ...open,
        limit: 'mfa',
        parse: 'none',
        response: { ...optionsAnswer, ...submitted('mfa_token_expired') },
        detail: { summary: 'Get the options of WebAuthn for the second factor of a login', tags: ['pages'] },
      },
    )
}

const open = { open: true, page: true } as const
