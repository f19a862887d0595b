import { Elysia, t } from 'elysia'
import { type ErrorCode, KeywardError, MISSING } from '../../errors.ts'
import { noteUser } from '../../http/caller.ts'
import { asRefusal } from '../../http/errors.ts'
import type { HttpKit } from '../../http/kit.ts'
import { locationFrom } from '../../http/location.ts'
import { readForm } from '../../http/parsers.ts'
import { pathOf } from '../../http/route-table.ts'
import { type Clock, DAY, SECOND } from '../../lib/clock.ts'
import type { CookieChange } from '../../pages/cookies.ts'
import type { Next } from '../../pages/next.ts'
import type { AskedOf, Pages, View, Visit } from '../../pages/pages.tsx'
import { shown, submitted } from '../../pages/routes.ts'
import { cookiesOfBegun } from '../../pages/session-cookies.ts'
import { toSecond } from '../../pages/to-second.ts'
import { toSignIn } from '../../pages/to-sign-in.ts'
import type { Accounts } from '../accounts/accounts.ts'
import { callerOfBrowser, type Sessions } from '../sessions/sessions.ts'
import type { SignIn, SignInRequest } from '../sign-in/sign-in.ts'
import { flowCookies, readFlow, withoutFlow } from './pages/flow-cookies.ts'
import { continueView, failureView } from './pages/views.tsx'
import { type Arrival, type ArrivalVisit, flowIdOf, type PendingFlow, type Social } from './social.ts'

export interface SocialPagesNeeds {
  /** Undefined when `PAGES` is `off`, and where pages may not use cookies; then this feature has no page routes. */
  pages: Pages | undefined
  clock: Clock
  accounts: Pick<Accounts, 'proofNeeded'>
  signIn: SignIn
  sessions: Pick<Sessions, 'requireSession' | 'cookieOf' | 'makeDeviceToken'>
}

/** The pages to log in with another service, and to link an account there. */
export function socialPages(social: Social, needs: SocialPagesNeeds, kit: HttpKit) {
  const { pages, clock, accounts, signIn, sessions } = needs
  const routes = new Elysia({ name: 'keyward.social-pages' }).use(kit.plugin)
  if (pages === undefined) return routes

  async function arrivalVisit(visit: Visit): Promise<ArrivalVisit> {
    const { request, cookie, locale } = visit
    const former = await visit.browser()
    const browser = { isRemembered: false, ...(former && { replaces: former.id }) }
    return {
      origin: kit.origin(request),
      client: kit.clientPrefix(request),
      browser,
      deviceToken: cookie('device'),
      locale,
    }
  }

  /** Where the browser goes after a step, with its cookies. */
  async function next(visit: Visit, { name, id, request }: Step, arrival: Arrival): Promise<Next> {
    if (arrival.step === 'done') {
      const formCookie = signIn.formCookie(visit.cookie('form'))
      const sealed = signIn.seal(request, formCookie)
      const begun = await sessions.requireSession(arrival.begun).catch((error) => toSecond(error, sealed))
      const kept: CookieChange = { name: 'form', value: formCookie, maxAgeSeconds: DAY / SECOND }
      const cookies = [kept, ...withoutFlow(visit, id)]
      if ('next' in begun) return { ...begun, cookies: [...(begun.cookies ?? []), ...cookies] }
      noteUser(visit.request, begun.user.id)
      cookies.push(...(await cookiesOfBegun(visit, sessions, begun, 0)))
      return { next: signIn.afterwards(sealed, request), cookies }
    }
    const { step: page, pending } = arrival
    const of = arrival.step === 'ask' && {
      ways: arrival.ways,
      account: { email: arrival.user.email, username: arrival.user.username },
    }
    const sealed = await social.sealPending({ provider: name, id }, { request, pending, page, ...of })
    return { next: `/social/${name}/continue?flow=${id}`, cookies: flowCookies(visit, id, sealed) }
  }

  /** Runs a step of a GET; a refusal that ends the login is a page of this feature. */
  const orFailure = async (visit: Visit, work: () => Promise<View | Next>): Promise<View | Next> => {
    try {
      return await work()
    } catch (error) {
      const refusal = asRefusal(error)
      const view = refusal.code === 'internal' ? undefined : failureView(visit, refusal)
      if (!view) throw error
      return view
    }
  }

  /** Begins a link for the person who is logged in; a fresh check is needed, of the second factor if there is one. */
  async function beginLink(visit: Visit, name: string): Promise<Next> {
    const browser = await visit.browser()
    if (!signIn.isFormToken(visit.input.link ?? '', visit.cookie('form'))) return { next: '/account/identities' }
    const back: SignInRequest = { to: 'account', query: 'identities', seen: clock.now() }
    if (!browser) return toSignIn(signIn, visit, back)
    const needed = await accounts.proofNeeded(callerOfBrowser(browser))
    if (needed !== 'none') return toSignIn(signIn, visit, back, needed === 'factor' ? 'sign-in/step-up' : 'sign-in')
    const { id: userId, sessionEpoch: epoch } = browser.user
    const begun = await social.begin(name, { kind: 'link', userId, epoch }, kit.requester(visit.request))
    return { next: begun.url, cookies: flowCookies(visit, begun.id, begun.sealed) }
  }

  async function answered(visit: Visit, name: string): Promise<Next> {
    const { input, request } = visit
    const id = flowIdOf(input)
    const sealed = readFlow(visit, id)
    if (sealed === undefined) throw new KeywardError('invalid_or_expired')
    const { identity, purpose } = await social.finish(name, { sealed, answer: input }, kit.requester(request))
    if (purpose.kind === 'sign_in') {
      const arrival = await social.arrive(identity, await arrivalVisit(visit))
      return next(visit, { name, id, request: purpose.request }, arrival)
    }
    const browser = await visit.browser()
    if (browser?.user.id !== purpose.userId || browser.user.sessionEpoch !== purpose.epoch)
      throw new KeywardError('invalid_or_expired')
    await social.linkOwn({ identity, user: browser.user, ip: kit.clientIp(request) })
    return { next: '/account/identities', cookies: withoutFlow(visit, id) }
  }

  /** The request of an application for which somebody is at a provider, as the browser keeps it. */
  const askedOf =
    (name: string): AskedOf =>
    (visit) => {
      const id = visit.input.flow ?? flowIdOf(visit.input)
      const sealed = readFlow(visit, id)
      return sealed === undefined ? undefined : social.requestOf({ provider: name, id }, sealed)
    }

  /** Opens what the browser kept for a page between. @throws KeywardError `invalid_or_expired` */
  function opened(visit: Visit, name: string): Step & { flow: PendingFlow } {
    const id = visit.input.flow ?? ''
    const sealed = readFlow(visit, id)
    if (sealed === undefined) throw new KeywardError('invalid_or_expired')
    const flow = social.openPending({ provider: name, id }, sealed)
    return { name, id, request: flow.request, flow }
  }

  async function shownStep(visit: Visit, name: string, problem?: Parameters<typeof continueView>[1]['problem']) {
    const { id, flow } = opened(visit, name)
    const { label } = await social.findProvider(name)
    const action = visit.link(`/social/${name}/continue`)
    return continueView(visit, { flow, label, action, id, problem })
  }

  async function step(visit: Visit, { pending }: PendingFlow): Promise<Arrival> {
    const { do: what, email = '', code = '', password = '' } = visit.input
    const from = await arrivalVisit(visit)
    if (what === 'address') return social.giveAddress(pending, email, from)
    if (what === 'code') return social.enterCode(pending, code, from)
    if (what === 'send') return social.askCode(pending, from)
    if (what === 'over') return social.startOver(pending, from)
    // An empty field is refused here, because the use case would count it as a failed login.
    if (password === '')
      throw new KeywardError('validation_failed', { errors: [{ field: 'password', message: MISSING }] })
    return social.confirmByPassword(pending, password, from)
  }

  return routes
    .get(
      '/social/:name',
      ({ request, params: { name } }) =>
        pages.show(request, (visit) =>
          orFailure(visit, async () => {
            const { request: text, link } = visit.input
            if (link !== undefined) return beginLink(visit, name)
            const own: SignInRequest = { to: 'account', query: '', seen: clock.now() }
            const asked = text === undefined ? own : signIn.open(text, visit.cookie('form'))
            if (!asked) throw new KeywardError('invalid_or_expired')
            const begun = await social.begin(name, { kind: 'sign_in', request: asked }, kit.requester(request))
            return { next: begun.url, cookies: flowCookies(visit, begun.id, begun.sealed) }
          }),
        ),
      {
        ...open,
        limit: 'social',
        params: NamePath,
        response: { ...shown(...endings, 'provider_not_found'), 303: submitted()[303] },
        detail: { summary: 'Go to another service to log in there', tags: ['pages'] },
      },
    )
    .get(
      '/social/:name/callback',
      ({ request, params: { name } }) =>
        pages.show(request, (visit) => orFailure(visit, () => answered(visit, name)), askedOf(name)),
      {
        ...open,
        limit: ['social', 'mail'],
        params: NamePath,
        response: { ...shown(...endings, 'provider_not_found'), 303: submitted()[303] },
        detail: { summary: 'Log in with the answer of another service', tags: ['pages'] },
      },
    )
    .post(
      '/social/:name/callback',
      async ({ request, params: { name } }) => {
        // Apple answers with a form of its own site, with which a browser sends no cookie of ours. The same answer as a
        // GET comes with the cookies.
        const sent = await readForm(request)
        const query = new URLSearchParams()
        for (const field of ['code', 'state', 'iss', 'error', 'user'])
          if (sent[field] !== undefined && sent[field].length <= MAX_FIELD) query.set(field, sent[field])
        const location = `${locationFrom(pathOf(request.url), `/social/${name}/callback`)}?${query}`
        return new Response(null, { status: 303, headers: { location } })
      },
      {
        ...open,
        limit: { none: 'it reads no data, and sends the browser to the same address with GET' },
        parse: 'none',
        params: NamePath,
        response: submitted(),
        detail: { summary: 'Take the answer of a service that sends a form', tags: ['pages'] },
      },
    )
    .get(
      '/social/:name/continue',
      ({ request, params: { name } }) =>
        pages.show(request, (visit) => orFailure(visit, () => shownStep(visit, name)), askedOf(name)),
      {
        ...open,
        limit: { none: 'it opens a cookie that is sealed' },
        params: NamePath,
        response: shown('invalid_or_expired', 'provider_not_found'),
        detail: { summary: 'Prove an address or an account', tags: ['pages'] },
      },
    )
    .post(
      '/social/:name/continue',
      ({ request, params: { name } }) =>
        pages.submit(
          request,
          {
            async act(visit) {
              const { flow, ...of } = opened(visit, name)
              return next(visit, of, await step(visit, flow))
            },
            async again(visit, problem) {
              try {
                const isEnd = !stays(visit.input.do, problem.code)
                const ending = isEnd ? failureView(visit, { code: problem.code, status: 400 }) : undefined
                return ending ?? (await shownStep(visit, name, problem))
              } catch {
                return failureView(visit, { code: 'invalid_or_expired', status: 400 })
              }
            },
          },
          askedOf(name),
        ),
      {
        ...open,
        limit: ['login', 'mail', 'code'],
        parse: 'none',
        params: NamePath,
        response: submitted(...endings, 'invalid_password', 'overloaded', 'provider_not_found'),
        detail: { summary: 'Link the account, or create one', tags: ['pages'] },
      },
    )
}

interface Step {
  name: string
  id: string
  request: SignInRequest
}

/** True for a refusal after which the same page is shown again. */
const stays = (what: string | undefined, code: ErrorCode): boolean =>
  (what === 'code' && code === 'invalid_or_expired') ||
  code === 'invalid_password' ||
  (what !== 'code' && code === 'validation_failed')

const open = { open: true, page: true } as const

/** The refusals that end a login. */
const endings = [
  'provider_failed',
  'invalid_or_expired',
  'identity_taken',
  'invalid_credentials',
  'registration_closed',
  'email_unverified',
  'email_taken',
  'validation_failed',
  'rate_limited',
] as const

const NamePath = t.Object({ name: t.String({ description: 'The name of the provider', examples: ['github'] }) })
/** The longest field of a provider's form that is passed on. */
const MAX_FIELD = 4_096
