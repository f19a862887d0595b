import type { Columns } from '../columns.ts'

/** @owner clients */
export const clientTables = (c: Columns) => {
  /** The applications that sign users in through Keyward (RFC 6749 section 2). */
  const clients = c.table('clients', {
    /** `kwa_` and 20 characters of base32. */
    id: c.text('id').primaryKey(),
    /** The name that the pages show. */
    name: c.text('name').notNull(),
    /** `secret` for a confidential client, `none` for a public one. */
    authMethod: c.text('auth_method').notNull(),
    /** A JSON list. A request has to name one of these addresses exactly. */
    redirectUris: c.text('redirect_uris').notNull(),
    postLogoutRedirectUris: c.text('post_logout_redirect_uris').notNull(),
    /** The grants that the client may use, separated by spaces. */
    grantTypes: c.text('grant_types').notNull(),
    /** The scopes that the client may ask users for, separated by spaces. */
    scopes: c.text('scopes').notNull(),
    /** A JSON list of the resources (RFC 8707) whose audience a token of the client may have. */
    resources: c.text('resources').notNull(),
    /** The scopes of the client's own tokens (`client_credentials`), separated by spaces. */
    credentialsScopes: c.text('credentials_scopes').notNull(),
    /** True when users are not asked for consent. */
    isTrusted: c.bool('is_trusted').notNull(),
    requiresPkce: c.bool('requires_pkce').notNull(),
    /** The algorithm of the client's ID tokens: `RS256`, `ES256` or `EdDSA`. */
    idTokenAlg: c.text('id_token_alg').notNull(),
    /** True when ID tokens also have the claims of the granted scopes. */
    hasClaimsInIdToken: c.bool('has_claims_in_id_token').notNull(),
    backchannelLogoutUri: c.text('backchannel_logout_uri'),
    /** Only users with this role may sign in; null for every user. */
    requiredRole: c.text('required_role'),
    /** The least level of a sign-in (`aal1`, `aal2` or `phr`); null for any. */
    requiredAcr: c.text('required_acr'),
    homeUri: c.text('home_uri'),
    isEnabled: c.bool('is_enabled').notNull(),
    createdAt: c.int('created_at').notNull(),
    updatedAt: c.int('updated_at').notNull(),
  })
  /** The secrets of confidential clients. A client has two while one replaces the other. */
  const clientSecrets = c.table(
    'client_secrets',
    {
      id: c.id('id'),
      clientId: c
        .text('client_id')
        .notNull()
        .references(() => clients.id, { onDelete: 'cascade' }),
      /** HMAC-SHA-256 of the secret, which itself is not stored. */
      mac: c.text('mac').notNull(),
      /** The last four characters, by which a person recognizes the secret. */
      hint: c.text('hint').notNull(),
      createdAt: c.int('created_at').notNull(),
      expiresAt: c.int('expires_at'),
      lastUsedAt: c.int('last_used_at'),
      revokedAt: c.int('revoked_at'),
    },
    (t) => [
      c.uniqueIndex('client_secrets_mac_unique').on(t.mac),
      c.index('client_secrets_client_id_index').on(t.clientId),
    ],
  )
  return { clients, clientSecrets }
}
