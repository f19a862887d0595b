import type { Configuration, CustomFetch, ServerMetadata } from 'openid-client'
import { KeywardError } from '../../errors.ts'
import { type Clock, type EpochMs, MINUTE, SECOND } from '../../lib/clock.ts'
import { toBase64Url } from '../../lib/encoding.ts'
import { sha256 } from '../../lib/hash.ts'
import type { Log } from '../../lib/log.ts'
import { type Outgoing, OutgoingError, type OutgoingResponse } from '../../lib/outgoing-fetch.ts'
import type { Random } from '../../lib/random.ts'
import { appleClientSecret } from './apple-key.ts'
import { apiOfGithub, type Claims, toIdentity, UpstreamFault } from './claims.ts'
import type { Identity } from './identity.ts'
import { kindRules } from './kinds.ts'
import type { Provider } from './provider.ts'

export interface UpstreamNeeds {
  clock: Clock
  random: Random
  log: Log
  outgoing: Outgoing
}

/** The secrets of one login at a provider. The browser keeps them, sealed. */
export interface UpstreamFlow {
  state: string
  /** Undefined for a service without ID tokens. */
  nonce: string | undefined
  /** The PKCE code verifier (RFC 7636). */
  verifier: string
}

/** A provider with its client secret. */
export interface OpenedProvider {
  provider: Provider
  secret: string | undefined
  /** The redirect URI of Keyward at the provider. */
  callback: string
}

/** The longest time for all requests of one step, in milliseconds. Each request has 5 s. */
const PATIENCE = 10 * SECOND
/** How long the metadata of an issuer are used again. Its keys are read at each login, so a rotation needs no wait. */
const METADATA_FOR = 10 * MINUTE

/** Makes the address at the provider to which the browser goes. @throws KeywardError `provider_failed` */
export const beginUpstream = (
  needs: UpstreamNeeds,
  opened: OpenedProvider,
  state: string,
): Promise<{ url: string; flow: UpstreamFlow }> =>
  guarded(needs, opened.provider, async () => {
    const { provider, callback } = opened
    const { random } = needs
    const { kind, settings } = provider
    const rules = kindRules[kind]
    const client = await import('openid-client')
    const config = await configurationOf(needs, opened, client)
    const verifier = toBase64Url(random.bytes(32))
    const nonce = rules.hasIdToken ? toBase64Url(random.bytes(16)) : undefined
    const scopes = settings.scopes ?? rules.scopes
    const url = client.buildAuthorizationUrl(config, {
      redirect_uri: callback,
      scope: scopes.join(' '),
      state,
      code_challenge: toBase64Url(sha256(verifier)),
      code_challenge_method: 'S256',
      ...(nonce !== undefined && { nonce }),
      ...(kind === 'google' && { prompt: 'select_account' }),
      ...(settings.hostedDomain !== undefined && { hd: settings.hostedDomain }),
      // Apple sends name and address only in a form.
      ...(kind === 'apple' && { response_mode: 'form_post' }),
    })
    if (url.protocol !== 'https:' && !provider.issuer.startsWith('http:')) throw new UpstreamFault('endpoint')
    return { url: url.href, flow: { state, nonce, verifier } }
  })

/**
 * Exchanges the code of a provider's answer, checks the answer, and reads the profile once. No token of the provider is
 * kept.
 * @param answer the parameters that the browser brought to the callback
 * @throws KeywardError `provider_failed` for every fault; the log has the reason
 */
export const finishUpstream = (
  needs: UpstreamNeeds,
  opened: OpenedProvider,
  flow: UpstreamFlow,
  answer: Readonly<Record<string, string>>,
): Promise<Identity> =>
  guarded(needs, opened.provider, async () => {
    const { provider, callback } = opened
    const { hasIdToken } = kindRules[provider.kind]
    const client = await import('openid-client')
    const config = await configurationOf(needs, opened, client)
    const url = new URL(callback)
    // Services without metadata have no issuer with which `iss` could be compared (RFC 9207).
    for (const name of ['code', 'state', 'iss', 'error'])
      if (answer[name] !== undefined && (hasIdToken || name !== 'iss')) url.searchParams.set(name, answer[name])
    const tokens = await client.authorizationCodeGrant(config, url, {
      pkceCodeVerifier: flow.verifier,
      expectedState: flow.state,
      ...(flow.nonce !== undefined && { expectedNonce: flow.nonce, idTokenExpected: true }),
    })
    if (!hasIdToken) return toIdentity(provider, await profileOf(needs, provider, tokens.access_token))
    const claims = tokens.claims()
    if (!claims) throw new UpstreamFault('no_id_token')
    // The library compares `azp` only for several audiences (OpenID Connect Core section 3.1.3.7, step 5).
    if (claims.azp !== undefined && claims.azp !== provider.clientId) throw new UpstreamFault('azp')
    const hasProfile = claims.email !== undefined || config.serverMetadata().userinfo_endpoint === undefined
    const profile = hasProfile ? {} : await client.fetchUserInfo(config, tokens.access_token, claims.sub)
    return toIdentity(provider, { ...profile, ...nameOf(provider, answer), ...claims })
  })

/** Apple tells the name only here, unsigned, and only at the first login: it is good for display. */
function nameOf({ kind }: Provider, { user }: Readonly<Record<string, string>>): Claims {
  if (kind !== 'apple' || user === undefined) return {}
  try {
    const { name } = JSON.parse(user) as { name?: { firstName?: unknown; lastName?: unknown } }
    return { name: [name?.firstName, name?.lastName].filter((part) => typeof part === 'string').join(' ') }
  } catch {
    return {}
  }
}

/** The profile of a service without ID tokens. */
async function profileOf(needs: UpstreamNeeds, provider: Provider, accessToken: string): Promise<Claims> {
  const read = (url: string) => readJson(needs, url, { authorization: `Bearer ${accessToken}` })
  if (provider.kind === 'discord') return read(`${provider.issuer}/api/users/@me`) as Promise<Claims>
  const api = apiOfGithub(provider)
  const profile = (await read(`${api}/user`)) as Claims
  return { ...profile, emails: await read(`${api}/user/emails`) }
}

async function readJson({ outgoing }: UpstreamNeeds, url: string, headers: Record<string, string>): Promise<object> {
  const { status, body } = await outgoing.fetch(url, { headers: { accept: 'application/json', ...headers } })
  if (status !== 200) throw new UpstreamFault(`profile_${status}`)
  const value: unknown = JSON.parse(Buffer.from(body).toString())
  if (typeof value !== 'object' || value === null) throw new UpstreamFault('profile')
  return value
}

type OpenidClient = typeof import('openid-client')

/** Makes the client of the library for one step of one login. */
export async function configurationOf(
  needs: UpstreamNeeds,
  { provider, secret }: OpenedProvider,
  client: OpenidClient,
): Promise<Configuration> {
  const { kind, clientId, settings } = provider
  const clientSecret =
    kind === 'apple' && secret !== undefined ? appleClientSecret(provider, secret, needs.clock) : secret
  const isBasic = kind === 'oidc' || kind === 'gitlab' ? settings.authMethod !== 'post' : false
  const auth =
    clientSecret === undefined
      ? client.None()
      : isBasic
        ? client.ClientSecretBasic(clientSecret)
        : client.ClientSecretPost(clientSecret)
  const metadata = { [client.clockTolerance]: 30 }
  const send = fetchOf(needs)
  // Without these checks, the library does not verify the signature of an ID token that came from the token endpoint.
  const execute = [client.enableNonRepudiationChecks]
  if (provider.issuer.startsWith('http:')) execute.push(client.allowInsecureRequests)
  if (kind === 'google' || kind === 'oidc' || kind === 'gitlab' || kind === 'microsoft') {
    const options = { [client.customFetch]: send, execute, timeout: PATIENCE / SECOND }
    const config = await client.discovery(new URL(provider.issuer), clientId, metadata, auth, options)
    // The library compares parsed addresses. For Microsoft the claims are compared, see `toIdentity`.
    if (kind !== 'microsoft' && config.serverMetadata().issuer !== provider.issuer) throw new UpstreamFault('issuer')
    return config
  }
  const server = kind === 'apple' ? await metadataOfApple(send) : staticMetadata(provider)
  const config = new client.Configuration(server, clientId, metadata, auth)
  config[client.customFetch] = send
  config.timeout = PATIENCE / SECOND
  for (const change of kind === 'apple' ? execute : execute.slice(1)) change(config)
  return config
}

const staticMetadata = ({ kind, issuer }: Provider): ServerMetadata =>
  kind === 'discord'
    ? { issuer, authorization_endpoint: `${issuer}/oauth2/authorize`, token_endpoint: `${issuer}/api/oauth2/token` }
    : {
        issuer,
        authorization_endpoint: `${issuer}/login/oauth/authorize`,
        token_endpoint: `${issuer}/login/oauth/access_token`,
      }

/** Both names that Apple's issuer has had. */
const appleIssuers = ['https://appleid.apple.com', 'https://account.apple.com']

async function metadataOfApple(send: CustomFetch): Promise<ServerMetadata> {
  const url = `${appleIssuers[0]}/.well-known/openid-configuration`
  const response = await send(url, { method: 'GET', headers: {}, body: undefined, redirect: 'manual' })
  const server = (await response.json()) as ServerMetadata
  if (!appleIssuers.includes(server.issuer)) throw new UpstreamFault('issuer')
  return server
}

/** The metadata of issuers that this process has read, by their addresses. */
const metadataSeen = new WeakMap<Outgoing, Map<string, { until: EpochMs; answer: OutgoingResponse }>>()

/** Makes the `fetch` of the library out of the guarded one. */
function fetchOf({ outgoing, clock }: UpstreamNeeds): CustomFetch {
  const end = clock.now() + PATIENCE
  const seen = metadataSeen.get(outgoing) ?? new Map<string, { until: EpochMs; answer: OutgoingResponse }>()
  metadataSeen.set(outgoing, seen)
  return async (url, { method, headers, body }) => {
    const isMetadata = url.endsWith('/.well-known/openid-configuration')
    const known = isMetadata ? seen.get(url) : undefined
    if (known && known.until > clock.now()) return toResponse(known.answer)
    const timeoutMs = Math.min(5 * SECOND, end - clock.now())
    if (timeoutMs <= 0) throw new OutgoingError('timeout', 'no answer in time')
    const sent = body === undefined || body === null ? undefined : String(body)
    const answer = await outgoing.fetch(url, {
      method: method === 'POST' ? 'POST' : 'GET',
      headers: { ...headers },
      ...(sent !== undefined && { body: sent }),
      timeoutMs,
    })
    if (isMetadata && answer.status === 200) seen.set(url, { until: clock.now() + METADATA_FOR, answer })
    return toResponse(answer)
  }
}

const toResponse = ({ status, headers, body }: OutgoingResponse): Response =>
  new Response(body.length === 0 ? null : Uint8Array.from(body), { status, headers })

/** Runs a step. All faults of a provider have one refusal, and their reasons are in the log. */
async function guarded<T>({ log }: UpstreamNeeds, { name }: Provider, step: () => Promise<T>): Promise<T> {
  try {
    return await step()
  } catch (error) {
    log.warn('provider_failed', { provider: name, reason: reasonOf(error) })
    throw new KeywardError('provider_failed', { cause: error })
  }
}

/** The library names a token that it cannot read as the cause. An encrypted one has five parts (RFC 7516 section 3.1). */
const isEncrypted = (token: unknown): boolean => typeof token === 'string' && /^(?:[\w-]*\.){4}[\w-]*$/.test(token)

/** A word for a fault: never a text of the provider, which could forge the log. */
export function reasonOf(error: unknown): string {
  for (let at = error, depth = 0; at instanceof Error && depth < 5; at = at.cause, depth++) {
    if (at instanceof OutgoingError) return at.fault
    if (at instanceof UpstreamFault) return at.message
    if (isEncrypted(at.cause)) return 'id_token_encrypted'
  }
  const { code, error: word } = error as { code?: unknown; error?: unknown }
  const told = typeof word === 'string' && /^[a-z_]{1,40}$/.test(word) ? word : undefined
  return [typeof code === 'string' ? code : (error as Error).name, told].filter(Boolean).join(' ').slice(0, 100)
}
