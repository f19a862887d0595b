import { generateKeyPairSync, type KeyObject, randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { json } from 'node:stream/consumers'
import Provider, { type Adapter, type AdapterPayload, type Configuration } from 'oidc-provider'

/*
 * oidc-provider, the certified OpenID provider of the npm registry, as its documentation configures it, for comparison
 * with Keyward. It signs the same: ID tokens with RS256 or what ID_TOKEN_ALG says, access tokens as JWTs with ES256. Everything is in memory.
 */

const port = Number(process.env.PORT)
const [clientId = '', clientSecret = '', redirectUri = ''] = (process.env.CLIENT ?? '').split(' ')
const resource = 'https://api.example.com'
const scope = 'openid profile email offline_access'

/** The rows of one model. Its own in-memory store keeps at most 1,000 rows, fewer than the codes of a round. */
class Memory implements Adapter {
  readonly #rows = new Map<string, AdapterPayload>()
  readonly #ofGrant = new Map<string, Set<string>>()

  async upsert(id: string, payload: AdapterPayload): Promise<undefined> {
    this.#rows.set(id, payload)
    const { grantId } = payload
    if (grantId === undefined) return
    const ids = this.#ofGrant.get(grantId) ?? new Set()
    this.#ofGrant.set(grantId, ids.add(id))
  }

  find = async (id: string): Promise<AdapterPayload | undefined> => this.#rows.get(id)

  findByUserCode = async (): Promise<undefined> => undefined

  findByUid = async (): Promise<undefined> => undefined

  async consume(id: string): Promise<undefined> {
    const row = this.#rows.get(id)
    if (row) row.consumed = Math.floor(Date.now() / 1_000)
  }

  async destroy(id: string): Promise<undefined> {
    this.#rows.delete(id)
  }

  async revokeByGrantId(grantId: string): Promise<undefined> {
    for (const id of this.#ofGrant.get(grantId) ?? []) this.#rows.delete(id)
    this.#ofGrant.delete(grantId)
  }
}

const jwkOf = ({ privateKey }: { privateKey: KeyObject }, alg: string) => ({
  ...privateKey.export({ format: 'jwk' }),
  alg,
  use: 'sig',
  kid: randomUUID(),
})

const configuration: Configuration = {
  adapter: Memory,
  clients: [
    {
      client_id: clientId,
      client_secret: clientSecret,
      redirect_uris: [redirectUri],
      grant_types: ['authorization_code', 'refresh_token', 'client_credentials'],
      response_types: ['code'],
      id_token_signed_response_alg: process.env.ID_TOKEN_ALG === 'ES256' ? 'ES256' : 'RS256',
    },
  ],
  jwks: {
    keys: [
      jwkOf(generateKeyPairSync('rsa', { modulusLength: 2048 }), 'RS256'),
      jwkOf(generateKeyPairSync('ec', { namedCurve: 'P-256' }), 'ES256'),
    ],
  } as NonNullable<Configuration['jwks']>,
  claims: { profile: ['preferred_username'], email: ['email', 'email_verified'] },
  findAccount: (_, accountId) => ({
    accountId,
    claims: async () => ({
      sub: accountId,
      preferred_username: accountId,
      email: `${accountId}@example.com`,
      email_verified: true,
    }),
  }),
  // Keyward rotates every refresh token.
  rotateRefreshToken: true,
  features: {
    devInteractions: { enabled: false },
    clientCredentials: { enabled: true },
    resourceIndicators: {
      enabled: true,
      defaultResource: () => resource,
      useGrantedResource: () => true,
      getResourceServerInfo: () => ({
        scope: 'api',
        accessTokenFormat: 'jwt',
        accessTokenTTL: 900,
        jwt: { sign: { alg: 'ES256' } },
      }),
    },
  },
}

const provider = new Provider(`http://127.0.0.1:${port}`, configuration)
const answerClients = provider.callback()

/** Makes a code for each account, as its authorization endpoint does after sign-in and consent. */
async function makeCodes(accounts: readonly string[], codeChallenge: string): Promise<string[]> {
  const client = await provider.Client.find(clientId)
  if (!client) throw new Error(`no client ${clientId}`)
  return Promise.all(
    accounts.map(async (accountId) => {
      const grant = new provider.Grant({ accountId, clientId })
      grant.addOIDCScope(scope)
      grant.addResourceScope(resource, 'api')
      const code = new provider.AuthorizationCode({
        accountId,
        client,
        grantId: await grant.save(),
        redirectUri,
        scope: `${scope} api`,
        resource,
        nonce: 'a nonce',
        authTime: Math.floor(Date.now() / 1_000),
        amr: ['pwd'],
        codeChallenge,
        codeChallengeMethod: 'S256',
      } as unknown as ConstructorParameters<typeof provider.AuthorizationCode>[0])
      return code.save()
    }),
  )
}

async function answerBench(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { count, users, codeChallenge } = (await json(request)) as {
    count: number
    users: number
    codeChallenge: string
  }
  const accounts = Array.from({ length: count }, (_, index) => `user${index % users}`)
  response.end(JSON.stringify(await makeCodes(accounts, codeChallenge)))
}

createServer((request, response) => {
  if (request.url !== '/bench/codes') return answerClients(request, response)
  answerBench(request, response).catch((error) => {
    response.statusCode = 500
    response.end(String(error))
  })
}).listen(port, '127.0.0.1')
