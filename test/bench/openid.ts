import { createHash } from 'node:crypto'
import { runBinary } from '../support/binary.ts'
import { createBrowser } from '../support/browser.ts'
import { names, password, rawRequest, register } from './requests.ts'
import { keywardSettings, type Server, startKeyward, startTarget } from './servers.ts'

/** A provider with one confidential client, which authenticates by Basic. */
export interface OpenIdSide {
  server: Server
  /** Makes codes of many users, as a sign-in with consent does. Each is good for ten minutes. */
  makeCodes(count: number): Promise<string[]>
  /** A whole request to exchange a code. */
  exchange(code: string): string
  /** A whole request to refresh; the refresh token is the last parameter. */
  refresh(token: string): string
  clientCredentials: string
  /** Exchanges codes, and gives the answers. */
  tokensOf(codes: readonly string[]): Promise<ClientTokens[]>
}

export interface ClientTokens {
  access_token: string
  refresh_token: string
  id_token: string
}

interface Client {
  id: string
  secret: string
}

const REDIRECT = 'https://app.example.net/callback'
const SCOPE = 'openid profile email offline_access'
/** Enough that no user gets more sessions than Keyward keeps of one client, which would be a rare case. */
const USERS = 2_000
const verifier = 'a-verifier-of-the-bench-with-43-characters-or-more'
const challenge = createHash('sha256').update(verifier).digest('base64url')

/** Keyward with its client, and users who have signed in and agreed. @param idTokenAlg signs the ID tokens */
export async function startKeywardProvider(
  settings: Record<string, string>,
  idTokenAlg = 'RS256',
): Promise<OpenIdSide> {
  // The cheap hash is for the sign-ins before the measurement.
  const full = keywardSettings({ JWT_ALG: 'ES256', BCRYPT_COST: '4', AUTH_CODE_SECONDS: '600', ...settings })
  const server = await startKeyward(full)
  const client = await registerClient(full, idTokenAlg)
  const users = names('person', USERS)
  await register(server.port, users)
  const query = new URLSearchParams({
    response_type: 'code',
    client_id: client.id,
    redirect_uri: REDIRECT,
    scope: SCOPE,
    state: 'a state',
    nonce: 'a nonce',
    code_challenge: challenge,
    code_challenge_method: 'S256',
  })
  const address = `/authorize?${query}`
  const cookies = await fewAtOnce(users, (username) => signIn(server.port, full.PUBLIC_URL!, { username, address }))
  let next = 0
  return {
    ...sideOf(server, client, 'service'),
    makeCodes: (count) =>
      fewAtOnce(Array.from({ length: count }), async () => {
        const cookie = cookies[next++ % cookies.length]!
        const answer = await fetch(`http://127.0.0.1:${server.port}${address}`, {
          headers: { cookie },
          redirect: 'manual',
        })
        const code = new URL(answer.headers.get('location') ?? REDIRECT).searchParams.get('code')
        if (code === null) throw new Error(`/authorize: ${answer.status} ${answer.headers.get('location')}`)
        return code
      }),
  }
}

async function registerClient(settings: Record<string, string>, idTokenAlg: string): Promise<Client> {
  const { exitCode, stdout, stderr } = await runBinary(
    [
      ...['clients', 'create', 'Bench', '--trusted', '--redirect', REDIRECT],
      ...['--grants', 'authorization_code,refresh_token,client_credentials', '--scopes', SCOPE.replaceAll(' ', ',')],
      ...['--id-token-alg', idTokenAlg, '--service-scopes', 'service', '--json'],
    ],
    // Only a server takes a cheap hash.
    { env: { ...settings, BCRYPT_COST: '10' } },
  )
  if (exitCode !== 0) throw new Error(`clients create: ${stderr}`)
  const { id, secret } = JSON.parse(stdout) as Client
  return { id, secret }
}

/** Signs in as a browser does. @returns the cookies */
async function signIn(
  port: number,
  publicUrl: string,
  { username, address }: { username: string; address: string },
): Promise<string> {
  const browser = createBrowser({
    config: { PUBLIC_URL: publicUrl },
    fetch: (request) => {
      const { pathname, search } = new URL(request.url)
      return fetch(new Request(`http://127.0.0.1:${port}${pathname}${search}`, request), { redirect: 'manual' })
    },
  })
  await browser.open(address)
  const { isAway, title } = await browser.submit({ username, password }, ({ fields }) => 'password' in fields)
  if (!isAway) throw new Error(`the sign-in led to the page ${title}`)
  return [...browser.cookies].map(([name, value]) => `${name}=${value}`).join('; ')
}

/** `oidc-provider` with the same client; all it knows is in memory. */
export async function startOidcProvider(idTokenAlg = 'RS256'): Promise<OpenIdSide> {
  const client = { id: 'bench', secret: 'a-secret-of-the-bench-with-43-characters-or-more' }
  const server = await startTarget('oidc-provider.ts', {
    CLIENT: `${client.id} ${client.secret} ${REDIRECT}`,
    ID_TOKEN_ALG: idTokenAlg,
  })
  return {
    ...sideOf(server, client, 'api'),
    async makeCodes(count) {
      const answer = await fetch(`http://127.0.0.1:${server.port}/bench/codes`, {
        method: 'POST',
        body: JSON.stringify({ count, users: USERS, codeChallenge: challenge }),
      })
      if (!answer.ok) throw new Error(`oidc-provider: ${await answer.text()}`)
      return (await answer.json()) as string[]
    },
  }
}

function sideOf(server: Server, { id, secret }: Client, scope: string): Omit<OpenIdSide, 'makeCodes'> {
  const headers = {
    authorization: `Basic ${btoa(`${id}:${secret}`)}`,
    'content-type': 'application/x-www-form-urlencoded',
  }
  const form = (fields: Record<string, string>): string => new URLSearchParams(fields).toString()
  const ask = (fields: Record<string, string>): string => rawRequest('POST', '/token', headers, form(fields))
  const exchanging = (code: string) => ({
    grant_type: 'authorization_code',
    code,
    redirect_uri: REDIRECT,
    code_verifier: verifier,
  })
  return {
    server,
    clientCredentials: ask({ grant_type: 'client_credentials', scope }),
    exchange: (code) => ask(exchanging(code)),
    refresh: (token) => ask({ grant_type: 'refresh_token', refresh_token: token }),
    tokensOf: (codes) =>
      fewAtOnce(codes, async (code) => {
        const body = form(exchanging(code))
        const answer = await fetch(`http://127.0.0.1:${server.port}/token`, { method: 'POST', headers, body })
        if (!answer.ok) throw new Error(`/token: ${answer.status} ${await answer.text()}`)
        return (await answer.json()) as ClientTokens
      }),
  }
}

async function fewAtOnce<T, U>(items: readonly T[], work: (item: T) => Promise<U>): Promise<U[]> {
  const results: U[] = []
  for (let at = 0; at < items.length; at += 16) results.push(...(await Promise.all(items.slice(at, at + 16).map(work))))
  return results
}
