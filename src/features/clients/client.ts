import type { Level } from '../tokens/tokens.ts'

/** The grants that a client can have (RFC 6749, RFC 8628), in the order in which they are stored and shown. */
export const grantTypes = [
  'authorization_code',
  'refresh_token',
  'client_credentials',
  'urn:ietf:params:oauth:grant-type:device_code',
] as const
export type GrantType = (typeof grantTypes)[number]

/** The signing algorithms of ID tokens. The first one is the default, because every library knows it. */
export const idTokenAlgs = ['RS256', 'ES256', 'EdDSA'] as const
export type IdTokenAlg = (typeof idTokenAlgs)[number]

/** The scopes that Keyward itself gives a meaning, in the order in which they are stored and shown. */
export const identityScopes = ['openid', 'profile', 'email', 'groups', 'offline_access'] as const

/** What an administrator decides about a client. */
export interface ClientSettings {
  /** The name that the pages show. */
  name: string
  /** True for a public client, which has no secret: an app on a device or in a browser. It never changes. */
  isPublic: boolean
  /** A request has to name one of these addresses; see `allowsRedirect`. */
  redirectUris: readonly string[]
  postLogoutRedirectUris: readonly string[]
  grantTypes: readonly GrantType[]
  /** The scopes that the client may ask users for. */
  scopes: readonly string[]
  /** The resources (RFC 8707) whose audience a token of the client may have. */
  resources: readonly string[]
  /** The scopes of the client's own tokens (`client_credentials`). */
  credentialsScopes: readonly string[]
  /** True when users are not asked for consent. */
  isTrusted: boolean
  requiresPkce: boolean
  idTokenAlg: IdTokenAlg
  /** True when ID tokens also have the claims of the granted scopes. */
  hasClaimsInIdToken: boolean
  backchannelLogoutUri: string | null
  /** Only users with this role may sign in; null for every user. */
  requiredRole: string | null
  /** Users sign in with at least this level (`acr`); null for any. */
  requiredAcr: Level | null
  homeUri: string | null
  isEnabled: boolean
}

/** An application that signs users in through Keyward, or that has tokens of its own (RFC 6749 section 2). */
export interface Client extends ClientSettings {
  id: string
  createdAt: number
  updatedAt: number
}

/** A secret of a client, without its MAC. */
export interface ClientSecret {
  id: number
  clientId: string
  /** The last four characters, by which a person recognizes the secret. */
  hint: string
  createdAt: number
  /** When the secret expires; null for never. */
  expiresAt: number | null
  lastUsedAt: number | null
  revokedAt: number | null
}

/** Returns true for a text in the form of a client's id. No other text is sent to the database. */
export const isClientId = (text: string): boolean => /^kwa_[a-z2-7]{20}$/.test(text)
