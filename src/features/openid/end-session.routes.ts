import { Elysia } from 'elysia'
import type { HttpKit } from '../../http/kit.ts'
import { readForm } from '../../http/parsers.ts'
import type { Next } from '../../pages/next.ts'
import type { Pages, View, Visit } from '../../pages/pages.tsx'
import { shown, submitted, toNext } from '../../pages/routes.ts'
import { formCookieOf } from '../../pages/to-sign-in.ts'
import type { SignIn } from '../sign-in/sign-in.ts'
import { asQuery } from './as-query.ts'
import type { Logout, LogoutParameters, OpenId } from './openid.ts'
import { endSessionView, signedOutView } from './pages/end-session.tsx'
import { refusedView, staleView } from './pages/refused.tsx'

export interface EndSessionNeeds {
  /** Undefined when `PAGES` is `off`; then there are no routes. */
  pages: Pages | undefined
  openid: OpenId
  signIn: SignIn
}

/** The logout that a client asks for (OpenID Connect RP-Initiated Logout 1.0). */
export function endSessionRoutes({ pages, openid, signIn }: EndSessionNeeds, kit: HttpKit) {
  const routes = new Elysia({ name: 'keyward.end-session' }).use(kit.plugin)
  if (pages === undefined || !pages.mayUseCookies || !openid.isProvider) return routes

  async function end(visit: Visit, isConfirmed = false): Promise<View | Next> {
    const browser = await visit.browser()
    const asked = { browser, isConfirmed, ip: kit.clientIp(visit.request) }
    return show(visit, visit.input, await openid.endSession(visit.input, asked))
  }

  function show(visit: Visit, sent: LogoutParameters, made: Logout): View | Next {
    if (made.kind === 'refused') return refusedView(visit, 'request')
    if (made.kind === 'ask') {
      const { value, change } = formCookieOf(signIn, visit)
      return { ...endSessionView(visit, made, { sent, formToken: signIn.formToken(value) }), cookies: [change] }
    }
    const cookies = [{ name: 'session', value: null } as const]
    return made.address === undefined ? { ...signedOutView(visit), cookies } : { next: made.address, cookies }
  }

  return routes
    .get('/end-session', ({ request }) => pages.show(request, (visit) => end(visit)), {
      ...page,
      limit: { none: 'it ends at most the session of the browser' },
      response: { ...shown(), 303: toNext },
      detail: {
        operationId: 'endBrowserSession',
        summary: 'Sign out of an application',
        description:
          'OpenID Connect RP-Initiated Logout 1.0. With the ID token of the application as `id_token_hint` nobody is asked, and the browser goes on to `post_logout_redirect_uri` with `state`, if that address is registered. Otherwise a page asks.',
        tags: ['openid'],
        parameters,
      },
    })
    .post(
      '/end-session',
      ({ request }) => pages.show(request, async () => ({ next: `/end-session?${asQuery(await readForm(request))}` })),
      {
        ...page,
        limit: { none: 'it only redirects to GET' },
        parse: 'none',
        response: { ...shown('payload_too_large', 'unsupported_media_type'), 303: toNext },
        detail: { summary: 'Sign out, by a form', description: 'Redirects to GET.', tags: ['pages'] },
      },
    )
    .post(
      '/end-session/confirm',
      ({ request }) =>
        pages.submit(request, {
          act: async (visit) =>
            signIn.isFormToken(visit.input.form ?? '', visit.cookie('form')) ? end(visit, true) : staleView(visit),
          again: async () => undefined,
        }),
      {
        ...page,
        limit: { none: 'it ends at most the session of the browser' },
        parse: 'none',
        response: { ...submitted(), ...shown() },
        detail: { summary: 'Confirm the logout', tags: ['pages'] },
      },
    )
}

const page = { open: true, page: true } as const

const asked = (name: string, description: string, example: string) => ({
  name,
  in: 'query' as const,
  schema: { type: 'string' as const },
  description,
  example,
})

const parameters = [
  asked('id_token_hint', 'An ID token of the application; it may have expired', 'eyJ…'),
  asked('client_id', 'The application, if there is no hint', 'kwa_k3m6q2z7x4c5v8b9n2m4'),
  asked('post_logout_redirect_uri', 'A registered address, character by character', 'https://app.example.com/bye'),
  asked('state', 'Comes back unchanged', 'af0ifjsldkj'),
  asked('ui_locales', 'Languages for the pages, the preferred one first', 'de en'),
]
