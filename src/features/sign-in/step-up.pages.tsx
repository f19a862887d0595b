import { Elysia } from 'elysia'
import { invalidField, KeywardError, MISSING } from '../../errors.ts'
import { noteUser } from '../../http/caller.ts'
import type { HttpKit } from '../../http/kit.ts'
import type { Next } from '../../pages/next.ts'
import type { FormProblem, Pages, View, Visit } from '../../pages/pages.tsx'
import { optionsAnswer, shown, submitted } from '../../pages/routes.ts'
import type { Accounts, StepUp } from '../accounts/accounts.ts'
import type { FactorMethod } from '../factors/factors.ts'
import { callerOfBrowser, type SessionCaller } from '../sessions/sessions.ts'
import { readAnswer } from './factor-input.ts'
import { factorMissingView, provePasswordView, proveView } from './pages/factors/prove.tsx'
import { raisedCookie } from './pages/factors/security-page.ts'
import { deadRequestView } from './pages/sign-in.tsx'
import type { SignIn, SignInRequest } from './sign-in.ts'

export interface StepUpPagesNeeds {
  /** Undefined when `PAGES` is `off`, and where pages may not use cookies; then this feature has no page routes. */
  pages: Pages | undefined
  accounts: Pick<Accounts, 'stepUp' | 'describeStepUp'>
  /** How long "keep me logged in" lasts (REMEMBER_ME_DAYS). */
  rememberDays: number
}

/** A request, and the person who is logged in in its browser. */
interface Asked {
  request: SignInRequest
  sealed: string
  caller: SessionCaller
  /** The second factors that can be shown. */
  methods: readonly FactorMethod[]
  /** True when the password is enough, because the person has no second factor. */
  isPasswordEnough: boolean
}

/** The page on which a person who is logged in proves it again. It does what `POST /token/step-up` does. */
export function stepUpPages(signIn: SignIn, needs: StepUpPagesNeeds, kit: HttpKit) {
  const { pages, accounts, rememberDays } = needs
  const routes = new Elysia({ name: 'keyward.step-up-pages' }).use(kit.plugin)
  if (pages === undefined) return routes

  /** @returns the page to log in when nobody is logged in any more; undefined for a request that cannot be used */
  async function read(visit: Visit): Promise<Asked | Next | undefined> {
    const { request: sealed = '' } = visit.input
    const request = signIn.open(sealed, visit.cookie('form'))
    if (!request) return undefined
    const browser = await visit.browser()
    if (!browser) return { next: `/sign-in?request=${sealed}` }
    noteUser(visit.request, browser.user.id)
    const caller = callerOfBrowser(browser)
    const { methods } = await accounts.describeStepUp(caller, { withOptions: false })
    // Only a passkey reaches the highest level.
    const fits = (method: FactorMethod) => request.level !== 'phr' || method === 'webauthn'
    return {
      request,
      sealed,
      caller,
      methods: methods.filter((method) => method !== 'password').filter(fits),
      isPasswordEnough: methods.includes('password'),
    }
  }

  async function view(visit: Visit, problem?: FormProblem): Promise<View | Next> {
    const asked = await read(visit)
    if (!asked) return deadRequestView(visit, signIn.startAgain(visit.input.request ?? '', visit.cookie('form')))
    if ('next' in asked) return asked
    const { request, sealed, methods, isPasswordEnough } = asked
    if (methods.length > 0) return proveView(visit, { page: '/sign-in/step-up', methods, request, sealed, problem })
    if (request.level !== undefined) {
      const back = request.to === 'authorize' ? signIn.afterwards(sealed, request) : undefined
      return factorMissingView(visit, { request, back })
    }
    if (isPasswordEnough) return provePasswordView(visit, { request, sealed, problem })
    return { next: `/sign-in?request=${sealed}` }
  }

  const again = async (visit: Visit, problem: FormProblem): Promise<View | undefined> => {
    const made = await view(visit, problem)
    return 'next' in made ? undefined : made
  }

  async function act(visit: Visit): Promise<Next> {
    const asked = await read(visit)
    if (!asked) throw new KeywardError('csrf_refused')
    if ('next' in asked) return asked
    const { request, sealed, caller, methods } = asked
    const from = kit.requester(visit.request)
    const raised = await accounts.stepUp(caller, { shown: shownIn(visit, methods), ...from })
    return { next: signIn.afterwards(sealed, request), cookies: [raisedCookie(raised, rememberDays)] }
  }

  return routes
    .get('/sign-in/step-up', ({ request }) => pages.show(request, view), {
      ...open,
      limit: { none: 'it reads the session of a cookie with a MAC' },
      response: { ...shown('invalid_or_expired'), 303: submitted()[303] },
      detail: { summary: 'Prove again who you are', tags: ['pages'] },
    })
    .post('/sign-in/step-up', ({ request }) => pages.submit(request, { act, again }), {
      ...open,
      limit: ['login', 'mfa'],
      parse: 'none',
      response: submitted(
        'invalid_password',
        'invalid_code',
        'webauthn_failed',
        'totp_locked',
        'rate_limited',
        'overloaded',
      ),
      detail: { summary: 'Check a credential again in the session of a browser', tags: ['pages'] },
    })
    .post(
      '/sign-in/step-up/options',
      ({ request }) =>
        pages.submit(request, {
          async act(visit) {
            const asked = await read(visit)
            if (!asked || 'next' in asked) throw new KeywardError('csrf_refused')
            const { webauthn } = await accounts.describeStepUp(asked.caller, { withOptions: true })
            if (!webauthn) throw new KeywardError('webauthn_failed')
            return Response.json({ options: webauthn }, { headers: { 'cache-control': 'no-store' } })
          },
          again: async () => undefined,
        }),
      {
        ...open,
        limit: 'mfa',
        parse: 'none',
        response: { ...optionsAnswer, ...submitted('webauthn_failed') },
        detail: { summary: 'Get the options of WebAuthn for a session', tags: ['pages'] },
      },
    )
}

/** What the form has: a second factor if the person has one, and the password otherwise. */
function shownIn({ input }: Visit, methods: readonly FactorMethod[]): StepUp['shown'] {
  if (methods.length > 0) return readAnswer(input)
  const { password = '' } = input
  if (password === '') throw invalidField('password', MISSING)
  return { password }
}

const open = { open: true, page: true } as const
