import { FormError, parseForm } from '../../lib/form.ts'
import { firstLocale, type Locale } from '../../lib/locale.ts'
import { allowsRedirect, type Client } from '../clients/clients.ts'
import { type Level, levels } from '../tokens/tokens.ts'
import { readScope } from './scopes.ts'

/** An authorization request (OpenID Connect Core section 3.1.2.1) whose parameters were checked. */
export interface AuthorizationRequest {
  client: Client
  /** The address to which the answer goes: that of the request, which is registered. */
  redirectUri: string
  responseMode: ResponseMode
  state: string | undefined
  /** The scopes that the client asks for and may have. */
  scope: string
  resources: readonly string[]
  nonce: string | undefined
  /** The challenge of PKCE with `S256`. */
  codeChallenge: string | undefined
  prompt: ReadonlySet<Prompt>
  /** In seconds. */
  maxAge: number | undefined
  /**
   * The levels of which the sign-in must have one, or a higher one; undefined when any sign-in will do. The client's own
   * `requiredAcr` comes on top.
   */
  acrValues: readonly Level[] | undefined
  idTokenHint: string | undefined
  loginHint: string | undefined
  /** The language that the client asks for: the first of `ui_locales` that Keyward has. */
  locale: Locale | undefined
  /** The name of the social provider that the client chose for the user. */
  providerHint: string | undefined
}

export type ResponseMode = 'query' | 'form_post'

const prompts = ['none', 'login', 'consent', 'select_account', 'create'] as const
export type Prompt = (typeof prompts)[number]

/**
 * Why a request gets a page and no redirect. The client or its address is not known to be right, so nothing may be sent
 * there (RFC 9700 section 4.11.2).
 */
export type PageReason = 'request' | 'client' | 'redirect_uri'

/** An answer that goes to the client as an error (RFC 6749 section 4.1.2.1, OpenID Connect Core section 3.1.2.6). */
export interface Refused {
  client: Client
  redirectUri: string
  responseMode: ResponseMode
  state: string | undefined
  error: AuthorizationError
  description: string
}

export type AuthorizationError =
  | 'invalid_request'
  | 'unauthorized_client'
  | 'access_denied'
  | 'unsupported_response_type'
  | 'invalid_scope'
  | 'invalid_target'
  | 'login_required'
  | 'consent_required'
  | 'interaction_required'
  | 'unmet_authentication_requirements'
  | 'request_not_supported'
  | 'request_uri_not_supported'
  | 'registration_not_supported'

export type ReadRequest =
  | { kind: 'request'; request: AuthorizationRequest }
  | { kind: 'refused'; refused: Refused }
  | { kind: 'page'; reason: PageReason; client?: Client; redirectUri?: string }

/** The longest query: a page carries it sealed, and `sealed-request.ts` bounds that text. */
const MAX_QUERY = 8_000
const MAX_STATE = 2_048
const MAX_NONCE = 512
const MAX_HINT = 320

type Parameters = Readonly<Record<string, string>>
type Finding = readonly [AuthorizationError, description: string] | undefined

/**
 * The checks of a request whose client and redirect URI are right, in this order. The first finding is the answer.
 * A parameter with an empty value counts as omitted (RFC 6749 section 3.1).
 */
const checks: readonly ((sent: Parameters, client: Client) => Finding)[] = [
  (sent) => (sent.request ? ['request_not_supported', 'Send the parameters themselves'] : undefined),
  (sent) => (sent.request_uri ? ['request_uri_not_supported', 'Send the parameters themselves'] : undefined),
  (sent) => (sent.registration ? ['registration_not_supported', 'An administrator registers clients'] : undefined),
  (sent) => (sent.response_type ? undefined : ['invalid_request', 'response_type is missing']),
  (sent) =>
    sent.response_type === 'code' ? undefined : ['unsupported_response_type', 'The only response_type is code'],
  (sent) =>
    ['query', 'form_post', undefined, ''].includes(sent.response_mode)
      ? undefined
      : ['invalid_request', 'response_mode must be query or form_post'],
  (_, client) =>
    client.grantTypes.includes('authorization_code')
      ? undefined
      : ['unauthorized_client', 'The client may not use the authorization code grant'],
  checkScope,
  checkChallenge,
  checkPrompt,
  (sent) =>
    !sent.max_age || /^\d{1,10}$/.test(sent.max_age)
      ? undefined
      : ['invalid_request', 'max_age must be a number of seconds'],
  checkAcrValues,
  (sent) => ((sent.nonce ?? '').length <= MAX_NONCE ? undefined : ['invalid_request', 'nonce is too long']),
  (sent) =>
    [sent.login_hint, sent.provider_hint].every((hint) => (hint ?? '').length <= MAX_HINT)
      ? undefined
      : ['invalid_request', 'login_hint or provider_hint is too long'],
  (sent, client) =>
    !sent.resource || client.resources.includes(sent.resource)
      ? undefined
      : ['invalid_target', 'The client may not use this resource'],
]

function checkScope({ scope = '' }: Parameters, client: Client): Finding {
  const asked = scope === '' ? [] : readScope(scope)
  if (!asked) return ['invalid_scope', 'scope must be words separated by single spaces']
  return grantable(asked, client).length > 0 ? undefined : ['invalid_scope', 'The client may use none of these scopes']
}

/** The scopes that a client asks for and may have. Others are ignored, and the token answer says what was granted. */
export const grantable = (asked: readonly string[], { scopes, grantTypes }: Client): string[] =>
  asked.filter(
    (scope) => scopes.includes(scope) && (scope !== 'offline_access' || grantTypes.includes('refresh_token')),
  )

/** PKCE (RFC 7636), with `S256` only (RFC 9700 section 2.1.1). */
function checkChallenge({ code_challenge: challenge, code_challenge_method: method }: Parameters, client: Client) {
  const refuse = (description: string): Finding => ['invalid_request', description]
  if (!challenge && method) return refuse('code_challenge is missing')
  if (!challenge)
    return client.requiresPkce ? refuse('code_challenge is missing: this client must use PKCE') : undefined
  if (method !== 'S256') return refuse('code_challenge_method must be S256')
  return /^[A-Za-z0-9._~-]{43,128}$/.test(challenge) ? undefined : refuse('code_challenge is malformed')
}

function checkPrompt({ prompt }: Parameters): Finding {
  const words = prompt ? prompt.split(' ') : []
  if (!words.every(isPrompt)) return ['invalid_request', 'prompt has an unknown value']
  if (words.includes('none') && words.length > 1) return ['invalid_request', 'prompt none stands alone']
  return undefined
}

/**
 * `acr_values` (OpenID Connect Core section 3.1.2.1): words with single spaces between them. Words that are no level of
 * Keyward are ignored, because the parameter is a voluntary claim.
 */
function checkAcrValues({ acr_values: values }: Parameters): Finding {
  if (!values || (values.length <= MAX_HINT && /^[\x21-\x7e]+(?: [\x21-\x7e]+)*$/.test(values))) return undefined
  return ['invalid_request', 'acr_values must be words separated by single spaces']
}

function levelsIn(values: string | undefined): Level[] | undefined {
  const known = (values ?? '').split(' ').filter((word): word is Level => (levels as readonly string[]).includes(word))
  return known.length > 0 ? known : undefined
}

const isPrompt = (word: string): word is Prompt => (prompts as readonly string[]).includes(word)

/**
 * Reads an authorization request. The client and its redirect URI are checked before everything else, so no other fault
 * of a request can send a browser to an address that is not registered. Unknown parameters are ignored (RFC 6749
 * section 3.1); a parameter that is given twice gets a page.
 * @param query the query or the form of the request
 * @param find finds a client by its id
 */
export async function readAuthorizationRequest(
  query: string,
  find: (id: string) => Promise<Client | undefined>,
): Promise<ReadRequest> {
  const sent = query.length > MAX_QUERY ? undefined : parametersOf(query)
  if (!sent || (sent.state ?? '').length > MAX_STATE) return { kind: 'page', reason: 'request' }
  const client = sent.client_id ? await find(sent.client_id) : undefined
  if (!client?.isEnabled) return { kind: 'page', reason: 'client' }
  const redirectUri = sent.redirect_uri ?? ''
  if (!allowsRedirect(client.redirectUris, redirectUri))
    return { kind: 'page', reason: 'redirect_uri', client, redirectUri }

  const state = sent.state || undefined
  const responseMode = sent.response_mode === 'form_post' ? 'form_post' : 'query'
  for (const check of checks) {
    const found = check(sent, client)
    if (!found) continue
    const [error, description] = found
    return { kind: 'refused', refused: { client, redirectUri, responseMode, state, error, description } }
  }
  return {
    kind: 'request',
    request: {
      client,
      redirectUri,
      responseMode,
      state,
      scope: grantable(readScope(sent.scope!)!, client).join(' '),
      resources: sent.resource ? [sent.resource] : [],
      nonce: sent.nonce || undefined,
      codeChallenge: sent.code_challenge || undefined,
      prompt: new Set((sent.prompt ? sent.prompt.split(' ') : []).filter(isPrompt)),
      maxAge: sent.max_age ? Number(sent.max_age) : undefined,
      acrValues: levelsIn(sent.acr_values),
      idTokenHint: sent.id_token_hint || undefined,
      loginHint: sent.login_hint || undefined,
      locale: firstLocale(sent.ui_locales ?? ''),
      providerHint: sent.provider_hint || undefined,
    },
  }
}

function parametersOf(query: string): Parameters | undefined {
  try {
    return parseForm(query)
  } catch (error) {
    if (error instanceof FormError) return undefined
    throw error
  }
}
