import { t } from 'elysia'

/** The server metadata (RFC 8414 section 2). `issuer` is `PUBLIC_URL`. */
export const serverMetadata = (issuer: string) => ({
  issuer,
  token_endpoint: `${issuer}/token`,
  jwks_uri: `${issuer}/.well-known/jwks.json`,
  revocation_endpoint: `${issuer}/revoke`,
  introspection_endpoint: `${issuer}/introspect`,
  response_types_supported: [] as string[],
  grant_types_supported: ['password', 'refresh_token'],
  token_endpoint_auth_methods_supported: ['none'],
  revocation_endpoint_auth_methods_supported: ['none'],
  introspection_endpoint_auth_methods_supported: ['client_secret_basic', 'client_secret_post', 'Bearer'],
  service_documentation: `${issuer}/docs`,
})

/** The schema of the server metadata (RFC 8414 section 2). */
export const ServerMetadata = t.Object(
  {
    issuer: t.String({ description: 'The `iss` of access tokens, and the start of every URL here' }),
    token_endpoint: t.String(),
    jwks_uri: t.String(),
    revocation_endpoint: t.String(),
    introspection_endpoint: t.String(),
    response_types_supported: t.Array(t.String(), { description: 'None: there is no authorization endpoint' }),
    grant_types_supported: t.Array(t.String()),
    token_endpoint_auth_methods_supported: t.Array(t.String()),
    revocation_endpoint_auth_methods_supported: t.Array(t.String()),
    introspection_endpoint_auth_methods_supported: t.Array(t.String(), {
      description:
        '`Bearer`: an access token or an API key with `tokens:introspect` in the `Authorization` header; the others: an API key as client secret',
    }),
    service_documentation: t.String(),
  },
  {
    title: 'ServerMetadata',
    description: 'Authorization server metadata (RFC 8414)',
    examples: [serverMetadata('https://auth.example.com')],
  },
)
