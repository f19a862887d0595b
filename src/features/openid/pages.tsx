import { Elysia } from 'elysia'
import type { HttpKit } from '../../http/kit.ts'
import { readForm } from '../../http/parsers.ts'
import { targetOf } from '../../http/route-table.ts'
import type { Clock, EpochMs } from '../../lib/clock.ts'
import type { Next } from '../../pages/next.ts'
import type { Pages, View, Visit } from '../../pages/pages.tsx'
import { shown, submitted, toNext } from '../../pages/routes.ts'
import { formCookieOf, toSignIn } from '../../pages/to-sign-in.ts'
import type { SignIn, SignInRequest } from '../sign-in/sign-in.ts'
import type { Social } from '../social/social.ts'
import type { Level } from '../tokens/tokens.ts'
import { answerAddress, formActionOf } from './answer-address.ts'
import { asQuery } from './as-query.ts'
import type { Authorization, AuthorizationRequest, OpenId } from './openid.ts'
import { consentView } from './pages/consent.tsx'
import { handOverView } from './pages/hand-over.tsx'
import { refusedView, staleView } from './pages/refused.tsx'

export interface OpenIdPagesNeeds {
  /** Undefined when `PAGES` is `off`; then this feature has no page routes. */
  pages: Pages | undefined
  openid: OpenId
  signIn: SignIn
  social: Pick<Social, 'buttons'>
  clock: Clock
}

/** The pages of the authorization endpoint (RFC 6749 section 3.1, OpenID Connect Core section 3.1.2). */
export function openIdPages({ pages, openid, signIn, social, clock }: OpenIdPagesNeeds, kit: HttpKit) {
  const routes = new Elysia({ name: 'keyward.openid-pages' }).use(kit.plugin)
  if (pages === undefined || !pages.mayUseCookies || !openid.isProvider) return routes

  const ipOf = ({ request }: Visit) => kit.clientIp(request)

  const open = (visit: Visit): SignInRequest | undefined => signIn.open(visit.input.request ?? '', visit.cookie('form'))

  /** Turns a decision into what the browser gets. */
  async function show(visit: Visit, made: Authorization, asked: Asked): Promise<View | Next> {
    switch (made.kind) {
      case 'page':
        return refusedView(visit, made.reason)
      case 'answer':
        return made.mode === 'form_post'
          ? handOverView(visit, made)
          : { next: answerAddress(made.redirectUri, made.parameters) }
      case 'sign-in':
        return toSignIn(signIn, visit, sealable(made.request, asked), await signInPage(made))
      case 'step-up':
        return toSignIn(signIn, visit, { ...sealable(made.request, asked), level: made.level }, 'sign-in/step-up')
      case 'consent': {
        const { value, change } = formCookieOf(signIn, visit)
        const { id: userId, username } = made.browser.user
        const sealed = signIn.seal({ ...sealable(made.request, asked), userId }, value)
        return { ...consentView(visit, { asked: made.request, username, sealed }), cookies: [change] }
      }
    }
  }

  /** Chooses where the user signs in: at the provider that the client named, if people may sign in there. */
  async function signInPage({ request, create }: Extract<Authorization, { kind: 'sign-in' }>) {
    const hint = request.providerHint
    const provider = hint === undefined ? undefined : (await social.buttons()).find(({ name }) => name === hint)
    if (provider) return `social/${provider.name}` as const
    return create ? 'sign-up' : 'sign-in'
  }

  const authorize = async (visit: Visit, asked: Asked) => {
    const seen = { browser: await visit.browser(), seen: asked.seen, level: asked.level, ip: ipOf(visit) }
    return show(visit, await openid.authorize(asked.query, seen), asked)
  }

  return routes
    .get(
      '/authorize',
      ({ request }) =>
        pages.show(request, (visit) => authorize(visit, { query: queryTextOf(request), seen: clock.now() })),
      {
        ...page,
        limit: 'authorize',
        response: { ...shown(), 303: toNext },
        detail: {
          operationId: 'authorize',
          summary: 'Sign in to an application',
          description: authorizeDescription,
          tags: ['openid'],
          parameters: authorizeParameters,
        },
      },
    )
    .post(
      '/authorize',
      ({ request }) => pages.show(request, async () => ({ next: `/authorize?${asQuery(await readForm(request))}` })),
      {
        ...page,
        limit: { none: 'it only redirects to GET' },
        parse: 'none',
        response: { ...shown('payload_too_large', 'unsupported_media_type'), 303: toNext },
        detail: {
          summary: 'Sign in to an application, by a form',
          description: 'Redirects to GET with the same parameters, up to 4 KiB of them.',
          tags: ['pages'],
        },
      },
    )
    .get(
      '/authorize/resume',
      ({ request }) =>
        pages.show(request, (visit) => {
          const asked = open(visit)
          if (asked?.to === 'authorize') return authorize(visit, asked)
          return startAgain(visit)
        }),
      {
        ...page,
        limit: 'authorize',
        response: { ...shown(), 303: toNext },
        detail: { summary: 'Go on with a request after the sign-in', tags: ['pages'] },
      },
    )
    .post(
      '/consent',
      ({ request }) =>
        pages.submit(request, {
          async act(visit) {
            const asked = open(visit)
            if (asked?.to !== 'authorize') return startAgain(visit)
            if (visit.input.decision !== 'allow') return show(visit, await openid.deny(asked.query), asked)
            const browser = await visit.browser()
            const isAllowed = browser !== undefined && browser.user.id === asked.userId
            const seen = { browser, seen: asked.seen, level: asked.level, isAllowed, ip: ipOf(visit) }
            return show(visit, await openid.authorize(asked.query, seen), asked)
          },
          again: async () => undefined,
        }),
      {
        ...page,
        limit: 'authorize',
        parse: 'none',
        response: { ...submitted(), ...shown() },
        detail: { summary: 'Allow an application what it asks for, or not', tags: ['pages'] },
      },
    )

  /** Begins the request of an old form anew. A request of another browser cannot be read, so its page has to do. */
  function startAgain(visit: Visit): View | Next {
    const path = signIn.startAgain(visit.input.request ?? '', visit.cookie('form'))
    return path.startsWith('/authorize?') ? { next: path } : staleView(visit)
  }
}

const page = { open: true, page: true } as const

interface Asked {
  query: string
  /** When the request first came. */
  seen: EpochMs
  /** The level for which the user was sent to the page for another factor. */
  level?: Level | undefined
}

const sealable = (
  { client, redirectUri, loginHint, locale }: AuthorizationRequest,
  { query, seen }: Asked,
): SignInRequest => ({
  to: 'authorize',
  query,
  seen,
  ...(loginHint !== undefined && { hint: loginHint }),
  ...(locale && { locale }),
  clientName: client.name,
  formAction: formActionOf(redirectUri),
})

const queryTextOf = ({ url }: Request): string => {
  const target = targetOf(url)
  const start = target.indexOf('?')
  return start === -1 ? '' : target.slice(start + 1)
}

const authorizeDescription =
  'The authorization endpoint (RFC 6749 section 3.1, OpenID Connect Core section 3.1.2). The browser is redirected to the application with `code`, `state` and `iss`, or with `error`; before that it may see the page to sign in and the page that asks for consent. A request whose client or `redirect_uri` is not registered gets a page and no redirect. Unknown parameters and scopes are ignored.'

const asked = (name: string, description: string, example: string, required = false) => ({
  name,
  in: 'query' as const,
  required,
  schema: { type: 'string' as const },
  description,
  example,
})

const authorizeParameters = [
  asked('response_type', 'Only `code`', 'code', true),
  asked('client_id', 'The id of the registered client', 'kwa_k3m6q2z7x4c5v8b9n2m4', true),
  asked('redirect_uri', 'A registered address, character by character', 'https://app.example.com/callback', true),
  asked('scope', '`openid`, `profile`, `email`, `groups`, `offline_access`, or scopes of your own', 'openid profile'),
  asked('state', 'Comes back unchanged, at most 2,048 characters', 'af0ifjsldkj'),
  asked('nonce', 'Stands in the ID token', 'n-0S6_WzA2Mj'),
  asked('code_challenge', 'PKCE (RFC 7636)', 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM'),
  asked('code_challenge_method', 'Only `S256`', 'S256'),
  asked('response_mode', '`query`, which is the default, or `form_post`', 'query'),
  asked('prompt', '`none`, `login`, `consent`, `select_account` or `create`', 'login'),
  asked('max_age', 'The most seconds since the last sign-in', '3600'),
  asked(
    'acr_values',
    'The levels of which the sign-in must have one, with spaces between them: `aal2` asks for a second factor, `phr` for a passkey; other words are ignored',
    'aal2',
  ),
  asked('id_token_hint', 'An ID token of the user who should be signed in', 'eyJ…'),
  asked('login_hint', 'The name or address to fill in', 'ada@example.com'),
  asked(
    'ui_locales',
    'Languages for the pages, the preferred one first; others than those of Keyward are ignored',
    'de en',
  ),
  asked('resource', 'A registered resource for the access token (RFC 8707)', 'https://api.example.com'),
  asked(
    'provider_hint',
    'The name of a provider of social login: a user who has to sign in goes straight there',
    'google',
  ),
]
