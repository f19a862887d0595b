import { type Static, t } from 'elysia'
import { optionalChoice, optionalText, refusedWith } from '../../http/schemas.ts'
import { rfc3339 } from '../../lib/clock.ts'
import {
  type Client,
  type ClientChange,
  type ClientSecret,
  type GrantType,
  grantTypes,
  idTokenAlgs,
  type MadeSecret,
} from '../clients/clients.ts'
import { levels } from '../tokens/tokens.ts'
import { cursorLike, limit, nextCursor } from './parts.schemas.ts'

const text = (description: string) => t.String({ description })
const nullable = (description: string) => t.Union([t.String(), t.Null()], { description })
const texts = (description: string) => t.Array(t.String(), { description })

const grants = grantTypes.map((grant) => `\`${grant}\``).join(', ')

const said = {
  redirect_uris:
    'The addresses to which users come back. A request names one of them byte for byte; only the port of `http://127.0.0.1` and `http://[::1]` may differ',
  post_logout_redirect_uris: 'The addresses to which users may come back after a logout',
  grant_types: `The grants of the client: ${grants}`,
  scopes: 'The scopes that the client may ask users for',
  resources: 'The resources (RFC 8707) that the tokens of the client may be for',
  client_credentials_scopes: "The scopes of the client's own tokens",
  trusted: '`true` if users are not asked for consent',
  require_pkce: '`false` for a confidential client that does not know PKCE',
  id_token_alg: 'The algorithm that signs the ID tokens of the client',
  claims_in_id_token: '`true` for a client that does not ask `/userinfo`',
  backchannel_logout_uri: 'Where Keyward posts a logout token when a session of the client ends',
  required_role: 'Only users with this role may sign in',
  required_acr: 'The least level (`acr`) of a sign-in: `aal2` asks every user for a second factor, `phr` for a passkey',
  home_uri: 'The home page of the client',
  enabled: '`false` if nobody can use the client',
}

const members = {
  name: text('The name that users see'),
  redirect_uris: texts(said.redirect_uris),
  post_logout_redirect_uris: texts(said.post_logout_redirect_uris),
  grant_types: texts(said.grant_types),
  scopes: texts(said.scopes),
  resources: texts(said.resources),
  client_credentials_scopes: texts(said.client_credentials_scopes),
  trusted: t.Boolean({ description: said.trusted }),
  require_pkce: t.Boolean({ description: said.require_pkce }),
  id_token_alg: t.Union([t.Literal('RS256'), t.Literal('ES256'), t.Literal('EdDSA')], {
    description: said.id_token_alg,
  }),
  claims_in_id_token: t.Boolean({ description: said.claims_in_id_token }),
  backchannel_logout_uri: nullable(said.backchannel_logout_uri),
  required_role: nullable(said.required_role),
  required_acr: t.Union([t.Literal('aal1'), t.Literal('aal2'), t.Literal('phr'), t.Null()], {
    description: said.required_acr,
  }),
  home_uri: nullable(said.home_uri),
  enabled: t.Boolean({ description: said.enabled }),
}

const exampleId = 'kwa_aebagbafaydqqcikbmga'

const example = {
  id: exampleId,
  public: false,
  name: 'Shop',
  redirect_uris: ['https://shop.example.com/callback'],
  post_logout_redirect_uris: [],
  grant_types: ['authorization_code', 'refresh_token'],
  scopes: ['openid', 'profile', 'email'],
  resources: [],
  client_credentials_scopes: [],
  trusted: true,
  require_pkce: true,
  id_token_alg: 'RS256' as const,
  claims_in_id_token: false,
  backchannel_logout_uri: null,
  required_role: null,
  required_acr: null,
  home_uri: null,
  enabled: true,
  created_at: '2026-01-01T00:00:00.000Z',
  updated_at: '2026-01-01T00:00:00.000Z',
}

export const ClientView = t.Object(
  {
    id: text('The `client_id`'),
    public: t.Boolean({ description: '`true` for a client without a secret. It never changes' }),
    ...members,
    created_at: text('RFC 3339, UTC'),
    updated_at: text('RFC 3339, UTC'),
  },
  { title: 'Client', description: 'An application that signs users in through Keyward', examples: [example] },
)

export const toClientView = (client: Client): Static<typeof ClientView> => ({
  id: client.id,
  public: client.isPublic,
  name: client.name,
  redirect_uris: [...client.redirectUris],
  post_logout_redirect_uris: [...client.postLogoutRedirectUris],
  grant_types: [...client.grantTypes],
  scopes: [...client.scopes],
  resources: [...client.resources],
  client_credentials_scopes: [...client.credentialsScopes],
  trusted: client.isTrusted,
  require_pkce: client.requiresPkce,
  id_token_alg: client.idTokenAlg,
  claims_in_id_token: client.hasClaimsInIdToken,
  backchannel_logout_uri: client.backchannelLogoutUri,
  required_role: client.requiredRole,
  required_acr: client.requiredAcr,
  home_uri: client.homeUri,
  enabled: client.isEnabled,
  created_at: rfc3339(client.createdAt),
  updated_at: rfc3339(client.updatedAt),
})

const time = (description: string) => t.Union([t.String(), t.Null()], { description: `${description} (RFC 3339, UTC)` })

const exampleSecret = {
  id: 1,
  hint: 'Yx0A',
  created_at: '2026-01-01T00:00:00.000Z',
  expires_at: null,
  last_used_at: null,
  revoked_at: null,
}

export const SecretView = t.Object(
  {
    id: t.Integer({ minimum: 1 }),
    hint: text('The last four characters of the secret'),
    created_at: text('RFC 3339, UTC'),
    expires_at: time('`null` if the secret never expires'),
    last_used_at: time('At most a minute old; `null` before the first use'),
    revoked_at: time('`null` if the secret is not revoked'),
  },
  { title: 'ClientSecret', description: 'A secret of a client, without its text', examples: [exampleSecret] },
)

const at = (time: number | null): string | null => (time === null ? null : rfc3339(time))

export const toSecretView = (secret: ClientSecret): Static<typeof SecretView> => ({
  id: secret.id,
  hint: secret.hint,
  created_at: rfc3339(secret.createdAt),
  expires_at: at(secret.expiresAt),
  last_used_at: at(secret.lastUsedAt),
  revoked_at: at(secret.revokedAt),
})

const shownOnce = 'It is shown only here: store it now'

export const MadeSecretView = t.Object(
  { ...SecretView.properties, secret: text(`The text of the secret. ${shownOnce}`) },
  { title: 'CreatedClientSecret', examples: [{ ...exampleSecret, secret: 'kwc_…' }] },
)

export const toMadeSecretView = (secret: MadeSecret) => ({ ...toSecretView(secret), secret: secret.text })

export const ClientDetails = t.Object(
  { ...ClientView.properties, secrets: t.Array(SecretView, { description: 'The newest first' }) },
  { title: 'ClientDetails', examples: [{ ...example, secrets: [exampleSecret] }] },
)

export const NewClientView = t.Object(
  {
    ...ClientView.properties,
    secret: t.Union([t.String(), t.Null()], {
      description: `The text of the secret; \`null\` if public. ${shownOnce}`,
    }),
  },
  { title: 'CreatedClient', examples: [{ ...example, secret: 'kwc_…' }] },
)

export const ClientPage = t.Object(
  { items: t.Array(ClientView), next_cursor: nextCursor },
  {
    title: 'ClientPage',
    description: 'A part of the list of clients, by id',
    examples: [{ items: [example], next_cursor: null }],
  },
)

export const ClientQuery = t.Object({ cursor: cursorLike('^kwa_[a-z2-7]{20}$', exampleId), limit })

export const ClientPath = t.Object({ id: t.String({ description: 'The `id` of the client', examples: [exampleId] }) })

export const ClientSecretPath = t.Object({
  ...ClientPath.properties,
  sid: t.String({ description: 'The `id` of the secret', examples: ['1'] }),
})

const optionalTexts = (description: string) =>
  t.Optional(t.Union([t.Array(t.String()), t.Null()], { description, ...refusedWith('Expected a list of texts') }))
const optionalFlag = (description: string) =>
  t.Optional(t.Union([t.Boolean(), t.Null()], { description, ...refusedWith('Expected true or false') }))

const changeable = {
  redirect_uris: optionalTexts(said.redirect_uris),
  post_logout_redirect_uris: optionalTexts(said.post_logout_redirect_uris),
  grant_types: optionalTexts(said.grant_types),
  scopes: optionalTexts(said.scopes),
  resources: optionalTexts(said.resources),
  client_credentials_scopes: optionalTexts(said.client_credentials_scopes),
  trusted: optionalFlag(said.trusted),
  require_pkce: optionalFlag(said.require_pkce),
  id_token_alg: optionalChoice(idTokenAlgs, said.id_token_alg),
  claims_in_id_token: optionalFlag(said.claims_in_id_token),
  backchannel_logout_uri: optionalText(`${said.backchannel_logout_uri}; \`null\` removes it`),
  required_role: optionalText(`${said.required_role}; \`null\` removes it`),
  required_acr: optionalChoice(levels, `${said.required_acr}; \`null\` removes it`),
  home_uri: optionalText(`${said.home_uri}; \`null\` removes it`),
  enabled: optionalFlag(said.enabled),
  allow_http: optionalFlag('`true` to accept the scheme `http` for redirect URIs of any host. It is not stored'),
}

const lists = {
  redirect_uris: ['https://shop.example.com/callback'],
  post_logout_redirect_uris: ['https://shop.example.com/'],
  grant_types: ['authorization_code', 'refresh_token', 'client_credentials'],
  scopes: ['openid', 'profile', 'email'],
  resources: ['https://orders.example.com'],
  client_credentials_scopes: ['orders:list'],
}
const flags = { trusted: true, require_pkce: true, claims_in_id_token: false, enabled: true, allow_http: false }

export const NewClientBody = t.Object(
  {
    name: text('The name that users see: 1 to 100 characters'),
    public: optionalFlag('`true` for an app on a device or in a browser, which can keep no secret'),
    ...changeable,
  },
  {
    title: 'NewClient',
    examples: [{ name: 'Shop', public: false, ...lists, ...flags }],
  },
)

export const ClientChangeBody = t.Object(
  { name: optionalText('The name that users see: 1 to 100 characters'), ...changeable },
  { title: 'ClientChange', examples: [{ ...lists, ...flags }] },
)

/** Makes a change of a client out of the members of a body. A member that is absent changes nothing. */
export const toClientChange = (body: Static<typeof ClientChangeBody>): ClientChange => ({
  name: body.name ?? undefined,
  redirectUris: body.redirect_uris ?? undefined,
  postLogoutRedirectUris: body.post_logout_redirect_uris ?? undefined,
  grantTypes: (body.grant_types ?? undefined) as GrantType[] | undefined,
  scopes: body.scopes ?? undefined,
  resources: body.resources ?? undefined,
  credentialsScopes: body.client_credentials_scopes ?? undefined,
  isTrusted: body.trusted ?? undefined,
  requiresPkce: body.require_pkce ?? undefined,
  idTokenAlg: body.id_token_alg ?? undefined,
  hasClaimsInIdToken: body.claims_in_id_token ?? undefined,
  backchannelLogoutUri: body.backchannel_logout_uri,
  requiredRole: body.required_role,
  requiredAcr: body.required_acr,
  homeUri: body.home_uri,
  isEnabled: body.enabled ?? undefined,
  allowsHttp: body.allow_http ?? undefined,
})

export const NewSecretBody = t.Object(
  {
    expires_at: optionalText('When the new secret expires (RFC 3339); it never does if you send none'),
    others_expire_at: optionalText('When the other secret expires at the latest (RFC 3339)'),
  },
  { title: 'NewClientSecret', examples: [{ others_expire_at: '2037-01-31T12:00:00Z' }] },
)
