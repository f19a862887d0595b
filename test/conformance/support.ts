import { createHash } from 'node:crypto'
import { createLocalJWKSet, decodeProtectedHeader, type JSONWebKeySet, jwtVerify } from 'jose'
import type { TestApp, TestAppOptions } from '../support/app.ts'
import { createBrowser, type Screen, type TestBrowser } from '../support/browser.ts'

/** The provider of the suite: every address is https, as certification demands. */
export const issuer = 'https://op.example.com'
export const providerOptions = { env: { PUBLIC_URL: issuer } } satisfies TestAppOptions

export const user = { username: 'ada', password: 'correct horse battery' }

export interface RegisteredClient {
  id: string
  secret: string
  redirectUri: string
}

/** The answer of the authorization endpoint, as the client finds it in its address. */
export type Answer = Readonly<Record<string, string>>

export interface Tokens {
  access_token: string
  token_type: string
  expires_in: number
  scope: string
  refresh_token?: string
  id_token?: string
}

export const state128 = 's'.repeat(128)

/** A relying party of the suite: what it sends, and what it checks at every step (oidc.md 1.1). */
export function relyingParty(app: TestApp, client: RegisteredClient) {
  const usual = () => ({
    client_id: client.id,
    redirect_uri: client.redirectUri,
    scope: 'openid',
    state: 'a state',
    nonce: 'a nonce',
    response_type: 'code',
  })

  const basic = { authorization: `Basic ${btoa(`${client.id}:${client.secret}`)}` }

  return {
    client,
    /** The address of an authorization request; an undefined parameter is left out. */
    address(changed: Record<string, string | undefined> = {}): string {
      const parameters = Object.entries({ ...usual(), ...changed }).filter(([, value]) => value !== undefined)
      return `/authorize?${new URLSearchParams(parameters as [string, string][])}`
    },
    /** Reads the answer in the address of the client, and checks what every answer must hold. */
    answer(screen: Screen, { state = 'a state' }: { state?: string | null } = {}): Answer {
      if (!screen.isAway) throw new Error(`No answer but the page ${JSON.stringify(screen.title)} (${screen.status})`)
      const { url } = screen
      if (url.origin + url.pathname !== client.redirectUri) throw new Error(`The answer went to ${url}`)
      if (url.hash !== '') throw new Error('The answer is in the fragment')
      const answer = Object.fromEntries(url.searchParams)
      if ((answer.state ?? null) !== state) throw new Error(`The state is ${answer.state}`)
      if (answer.iss !== issuer) throw new Error(`The iss is ${answer.iss}`)
      const allowed =
        answer.code === undefined ? ['error', 'error_description', 'state', 'iss'] : ['code', 'state', 'iss']
      for (const name of Object.keys(answer)) if (!allowed.includes(name)) throw new Error(`The answer has ${name}`)
      if (answer.error_description !== undefined && !/^[\x20-\x7e]*$/.test(answer.error_description))
        throw new Error('error_description is not ASCII')
      return answer
    },
    exchange(code: string, changed: Record<string, string> = {}): Promise<Response> {
      const form = { grant_type: 'authorization_code', code, redirect_uri: client.redirectUri, ...changed }
      return app.request('POST', '/token', { form, headers: basic })
    },
    refresh(token: string, changed: Record<string, string> = {}): Promise<Response> {
      return app.request('POST', '/token', {
        form: { grant_type: 'refresh_token', refresh_token: token, ...changed },
        headers: basic,
      })
    },
    userinfo: (token: string, method = 'GET'): Promise<Response> => app.request(method, '/userinfo', { token }),
    basic,
  }
}

export type RelyingParty = ReturnType<typeof relyingParty>

/** Signs the user in where the page for it appears; other screens stay. */
export async function signIn(browser: TestBrowser, screen: Screen): Promise<Screen> {
  if (screen.isAway) throw new Error('There is no page to sign in')
  return browser.submit(user, ({ fields }) => 'password' in fields)
}

/** The whole flow: authorization, sign-in where it is asked, consent where it is asked, code, tokens. */
export async function wholeFlow(
  rp: RelyingParty,
  browser: TestBrowser,
  changed: Record<string, string | undefined> = {},
  sent: Record<string, string> = {},
): Promise<{ answer: Answer; tokens: Tokens; claims: Record<string, unknown> }> {
  const screen = await settle(browser, await browser.open(rp.address(changed)))
  const answer = rp.answer(screen, { state: 'state' in changed ? (changed.state ?? null) : 'a state' })
  if (answer.code === undefined) throw new Error(`No code but ${JSON.stringify(answer)}`)
  const response = await rp.exchange(answer.code, sent)
  if (response.status !== 200) throw new Error(`token: ${response.status} ${await response.text()}`)
  const tokens = (await response.json()) as Tokens
  return { answer, tokens, claims: tokens.id_token === undefined ? {} : decodeClaims(tokens.id_token) }
}

/** Signs in and agrees, as far as pages ask for it. */
export async function settle(browser: TestBrowser, screen: Screen): Promise<Screen> {
  let now = screen
  for (let steps = 0; !now.isAway && steps < 3; steps++) {
    if (now.forms.some(({ fields }) => 'password' in fields)) now = await signIn(browser, now)
    else if (now.forms.some(({ fields }) => fields.decision === 'allow'))
      now = await browser.submit({}, ({ fields }) => fields.decision === 'allow')
    else return now
  }
  return now
}

export const decodeClaims = (token: string): Record<string, unknown> =>
  JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString()) as Record<string, unknown>

const allowedClaims = 'iss sub aud exp iat auth_time nonce acr amr azp at_hash c_hash s_hash nbf jti sid txn'.split(' ')

/** Checks an ID token as the suite does: signature by the JWKS, and each claim of oidc.md 1.1. */
export async function checkIdToken(
  app: TestApp,
  { tokens, client, nonce }: { tokens: Tokens; client: RegisteredClient; nonce: string | undefined },
): Promise<Record<string, unknown>> {
  const jwks = (await (await app.request('GET', '/.well-known/jwks.json')).json()) as JSONWebKeySet
  for (const key of jwks.keys) {
    if (!key.kid || 'd' in key || 'p' in key) throw new Error('A key has no kid or a private part')
  }
  if (new Set(jwks.keys.map(({ kid }) => kid)).size !== jwks.keys.length) throw new Error('Two keys have one kid')
  const token = tokens.id_token!
  const currentDate = new Date(app.clock.now())
  const { payload } = await jwtVerify(token, createLocalJWKSet(jwks), { issuer, audience: client.id, currentDate })
  const { alg, kid } = decodeProtectedHeader(token)
  if (alg !== 'RS256' || !kid) throw new Error(`The ID token has ${alg} and ${kid}`)
  if (payload.nonce !== nonce) throw new Error(`The nonce is ${payload.nonce}`)
  if (typeof payload.sub !== 'string' || payload.sub === '') throw new Error('There is no sub')
  const now = app.clock.now() / 1000
  if (Math.abs(payload.iat! - now) > 300) throw new Error('iat is not now')
  for (const name of Object.keys(payload))
    if (!allowedClaims.includes(name)) throw new Error(`The ID token has ${name}`)
  const half = createHash('sha256').update(tokens.access_token).digest().subarray(0, 16).toString('base64url')
  if (payload.at_hash !== undefined && payload.at_hash !== half) throw new Error('at_hash is wrong')
  return payload
}

export { createBrowser }
