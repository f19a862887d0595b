import { exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose'
import { createOutgoing } from '../../src/lib/outgoing-fetch.ts'
import type { Parts, Replacement } from '../support/replace.ts'

/** What a provider answers at its token endpoint: the response, or an ID token that is wrong in one way. */
export type Mood = (answer: TokenAnswer) => Response | Promise<Response>

interface TokenAnswer {
  claims: JWTPayload
  /** Signs claims as the provider does. */
  sign(claims: JWTPayload, header?: Record<string, unknown>): Promise<string>
  respond(idToken: string | undefined, more?: object): Response
  /** The public key, as text. */
  publicKey: string
}

export interface MockProvider {
  url: string
  /** The claims of the next ID tokens, beside those of the protocol; or the profile of the API. */
  person: Record<string, unknown>
  mood: Mood
  /** The claims that the next ID tokens have, whatever the protocol says. */
  claims: JWTPayload
  /** `METHOD path` of each request, and its body. */
  requests: { path: string; body: URLSearchParams; authorization: string | null }[]
  /** The answers of other paths, such as those of an API. */
  api: Record<string, () => Response>
  /** Signs with another key from now on. The old one is not published any more. */
  rotate(): Promise<void>
  /** Remembers the parameters of an authorization request, and makes a code for them. */
  authorize(url: string): { code: string; state: string; parameters: URLSearchParams }
  stop(): Promise<void>
}

export const good: Mood = async ({ claims, sign, respond }) => respond(await sign(claims))

/**
 * A provider whose answers a test chooses. It answers for every host: a path that begins with a host, such as
 * `/accounts.google.com/token`, is that host's.
 */
export async function mockProvider(): Promise<MockProvider> {
  let key = await makeKey()
  const asked = new Map<string, URLSearchParams>()
  const requests: MockProvider['requests'] = []
  const server = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    async fetch(request) {
      const { pathname } = new URL(request.url)
      const body = new URLSearchParams(request.method === 'POST' ? await request.text() : '')
      requests.push({ path: pathname, body, authorization: request.headers.get('authorization') })
      const host = /^\/([a-z.]+\.com)(?=\/)/.exec(pathname)?.[1]
      const issuer = host === undefined ? mock.url : `https://${host}`
      if (mock.api[pathname]) return mock.api[pathname]()
      if (pathname.endsWith('/.well-known/openid-configuration'))
        return Response.json({
          ...metadata(issuer),
          ...(host === microsoft && { issuer: issuerOfMicrosoft(pathname) }),
        })
      if (pathname.endsWith('/jwks')) return Response.json({ keys: [key.jwk] })
      if (pathname.endsWith('/userinfo')) return Response.json({ sub: mock.person.sub, ...mock.person })
      if (pathname === '/authorize') return backTo(mock.authorize(request.url))
      if (!pathname.endsWith('/token')) return new Response(null, { status: 404 })
      const parameters = asked.get(body.get('code') ?? '')
      if (!parameters) return Response.json({ error: 'invalid_grant' }, { status: 400 })
      const now = Math.floor(Date.now() / 1000)
      const claims: JWTPayload = {
        iss: issuer,
        aud: parameters.get('client_id')!,
        iat: now,
        exp: now + 300,
        nonce: parameters.get('nonce') ?? undefined,
        ...mock.person,
        ...mock.claims,
      }
      return mock.mood({
        claims,
        sign: (payload, header = {}) =>
          new SignJWT(payload).setProtectedHeader({ alg: 'ES256', kid: key.jwk.kid, ...header }).sign(key.privateKey),
        respond: (idToken, more = {}) =>
          Response.json({
            access_token: 'token-of-the-provider',
            token_type: 'Bearer',
            expires_in: 60,
            ...(idToken && { id_token: idToken }),
            ...more,
          }),
        publicKey: JSON.stringify(key.jwk),
      })
    },
  })
  const mock: MockProvider = {
    url: `http://127.0.0.1:${server.port}`,
    person: { sub: 'of-ada', email: 'ada@example.com', email_verified: true, preferred_username: 'ada' },
    claims: {},
    mood: good,
    requests,
    api: {},
    async rotate() {
      key = await makeKey()
    },
    authorize(url) {
      const parameters = new URL(url).searchParams
      const code = `code-${asked.size}-${crypto.randomUUID()}`
      asked.set(code, parameters)
      return { code, state: parameters.get('state')!, parameters }
    },
    stop: () => server.stop(true),
  }
  return mock
}

/** The page of the provider: a link that leads back. */
function backTo({ code, state, parameters }: ReturnType<MockProvider['authorize']>): Response {
  const back = `${parameters.get('redirect_uri')}?code=${code}&amp;state=${state}`
  const html = `<!doctype html><title>Provider</title><link rel="icon" href="data:,"><a href="${back}">Back</a>`
  return new Response(html, { headers: { 'content-type': 'text/html' } })
}

const metadata = (issuer: string) => ({
  issuer,
  authorization_endpoint: `${issuer}/authorize`,
  token_endpoint: `${issuer}/token`,
  userinfo_endpoint: `${issuer}/userinfo`,
  jwks_uri: `${issuer}/jwks`,
  response_types_supported: ['code'],
  subject_types_supported: ['public'],
  id_token_signing_alg_values_supported: ['ES256', 'RS256'],
  authorization_response_iss_parameter_supported: false,
})

const microsoft = 'login.microsoftonline.com'

/** The metadata of a tenant that contains many has a placeholder. */
function issuerOfMicrosoft(path: string): string {
  const [, , tenant = ''] = path.split('/')
  return `https://${microsoft}/${/^\d/.test(tenant) ? tenant : '{tenantid}'}/v2.0`
}

let made = 0

async function makeKey() {
  const { publicKey, privateKey } = await generateKeyPair('ES256')
  return { privateKey, jwk: { ...(await exportJWK(publicKey)), kid: `key-${++made}`, use: 'sig', alg: 'ES256' } }
}

/** Sends the requests for the real services to a mock, at a path that begins with the host. */
export const towards = (mock: () => MockProvider): Replacement<Parts['outgoing']> => {
  const local = createOutgoing({ addresses: 'private' })
  return () => ({
    fetch: (url, request) => local.fetch(url.replace(/^https:\/\//, `${mock().url}/`), request),
  })
}
