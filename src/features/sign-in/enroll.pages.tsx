import { Elysia } from 'elysia'
import { KeywardError } from '../../errors.ts'
import { noteUser } from '../../http/caller.ts'
import type { HttpKit } from '../../http/kit.ts'
import type { FormProblem, Pages, View, Visit } from '../../pages/pages.tsx'
import { shown, submitted } from '../../pages/routes.ts'
import { cookiesOfBegun } from '../../pages/session-cookies.ts'
import type { Enrollment } from '../enrollment/enrollment.ts'
import type { Sessions } from '../sessions/sessions.ts'
import { readCode } from './factor-input.ts'
import { codesView } from './pages/factors/codes.tsx'
import { enrollMailView, enrollView } from './pages/factors/enroll.tsx'
import { textsOf } from './pages/factors/parts.tsx'
import { deadLoginView } from './pages/factors/prove.tsx'
import { isTotpUri, totpView } from './pages/factors/totp.tsx'
import { deadRequestView } from './pages/sign-in.tsx'
import type { SignIn, SignInRequest } from './sign-in.ts'

export interface EnrollPagesNeeds {
  /** Undefined when `PAGES` is `off`, and where pages may not use cookies; then this feature has no page routes. */
  pages: Pages | undefined
  enrollment: Pick<Enrollment, 'prepareAtLogin' | 'beginTotpAtLogin' | 'confirmTotpAtLogin'>
  sessions: Pick<Sessions, 'findEnrollment' | 'cookieOf' | 'makeDeviceToken'>
  /** How long "keep me logged in" lasts (REMEMBER_ME_DAYS). */
  rememberDays: number
}

const PAGE = '/sign-in/enroll'

/** A login that waits, and the request that it belongs to. */
interface Waiting {
  request: SignInRequest
  sealed: string
  token: string
}

/**
 * The page of a login that a rule refuses until the account has a second factor. It does what the routes below
 * `/token/enroll` do, and leads on to where the login began.
 */
export function enrollPages(signIn: SignIn, needs: EnrollPagesNeeds, kit: HttpKit) {
  const { pages, enrollment, sessions, rememberDays } = needs
  const routes = new Elysia({ name: 'keyward.enroll-pages' }).use(kit.plugin)
  if (pages === undefined) return routes

  /** @throws KeywardError `csrf_refused` for a request that cannot be used; `mfa_token_expired` without the cookie */
  function read(visit: Visit): Waiting {
    const { request: sealed = '' } = visit.input
    const request = signIn.open(sealed, visit.cookie('form'))
    if (!request) throw new KeywardError('csrf_refused')
    const token = visit.cookie('second')
    if (token === undefined) throw new KeywardError('mfa_token_expired')
    return { request, sealed, token }
  }

  async function view(visit: Visit, problem?: FormProblem): Promise<View> {
    const { request: sealed = '', do: action, uri = '', id = '', challenge_id: challengeId = '' } = visit.input
    const request = signIn.open(sealed, visit.cookie('form'))
    if (!request) return deadRequestView(visit, signIn.startAgain(sealed, visit.cookie('form')))
    const dead = deadLoginView(visit, `/sign-in?request=${sealed}`)
    try {
      await sessions.findEnrollment({ token: read(visit).token, isBrowser: true })
    } catch (error) {
      if (error instanceof KeywardError && error.code === 'mfa_token_expired') return dead
      throw error
    }
    if (problem && action === 'mail') return enrollMailView(visit, { request, sealed, challengeId, problem })
    if (problem && action === 'confirm' && problem.code !== 'factor_not_found' && isTotpUri(uri))
      return totp(visit, { request, sealed }, { id, uri, problem })
    return enrollView(visit, { request, sealed, problem })
  }

  const totp = (
    visit: Visit,
    { request, sealed }: Omit<Waiting, 'token'>,
    { id, uri, problem }: { id: string; uri: string; problem?: FormProblem },
  ): View =>
    totpView(visit, {
      action: PAGE,
      hidden: { request: sealed, do: 'confirm', id },
      uri,
      back: { href: `${PAGE}?request=${sealed}`, label: textsOf(visit).enroll.title },
      formAction: request.formAction,
      problem,
    })

  async function begin(visit: Visit, waiting: Waiting, mailed: { challengeId?: string; code?: string }) {
    const { token } = waiting
    const name = textsOf(visit).security.types.totp
    const { ip } = kit.requester(visit.request)
    return totp(visit, waiting, await enrollment.beginTotpAtLogin({ token, isBrowser: true, ip, name, ...mailed }))
  }

  async function act(visit: Visit): Promise<View> {
    const waiting = read(visit)
    const { request, sealed, token } = waiting
    const { do: action, code = '', id = '', challenge_id: challengeId = '' } = visit.input
    switch (action) {
      case 'totp': {
        const step = await enrollment.prepareAtLogin({
          token,
          isBrowser: true,
          locale: visit.locale,
          ...kit.requester(visit.request),
        })
        if (step.challengeId === undefined) return begin(visit, waiting, {})
        return enrollMailView(visit, { request, sealed, challengeId: step.challengeId })
      }
      case 'mail':
        return begin(visit, waiting, { challengeId, code: readCode(code, 'code') })
      case 'confirm': {
        const former = await visit.browser()
        const { begun, recoveryCodes } = await enrollment.confirmTotpAtLogin({
          token,
          id,
          code: readCode(code, 'code'),
          origin: kit.origin(visit.request),
          browser: former ? { replaces: former.id } : {},
        })
        noteUser(visit.request, begun.user.id)
        const next = new URL(signIn.afterwards(sealed, request), 'http://localhost')
        return {
          ...codesView(visit, {
            codes: recoveryCodes ?? [],
            next: { path: next.pathname, query: Object.fromEntries(next.searchParams) },
            formAction: request.formAction,
          }),
          cookies: await cookiesOfBegun(visit, sessions, begun, rememberDays),
        }
      }
      default:
        throw new KeywardError('invalid_request')
    }
  }

  return routes
    .get(PAGE, ({ request }) => pages.show(request, view), {
      ...open,
      limit: { none: 'it reads a login by a MAC' },
      response: shown('mfa_token_expired'),
      detail: { summary: 'Show the page of a login that must add a second factor', tags: ['pages'] },
    })
    .post(PAGE, ({ request }) => pages.submit(request, { act, again: view }), {
      ...open,
      limit: ['mail', 'code', 'factor', 'mfa'],
      parse: 'none',
      response: {
        200: shown()[200],
        ...submitted(
          'mfa_token_expired',
          'invalid_code',
          'factor_not_found',
          'too_many_factors',
          'totp_locked',
          'rate_limited',
        ),
      },
      detail: { summary: 'Add a second factor, and begin a session', tags: ['pages'] },
    })
}

const open = { open: true, page: true } as const
