import { locales } from '../../lib/locale.ts'
import { levels } from '../tokens/tokens.ts'
import { DEVICE_CODE_GRANT } from './device.ts'
import { scopeClaims, standardScopes } from './scopes.ts'
import { MFA_GRANT, PASSKEY_GRANT } from './token-request.ts'

export interface MetadataSettings {
  /** PUBLIC_URL. */
  issuer: string
  /** False when no client can be registered: with HS256, with `JWT_COMPAT=fastapi` and without pages. */
  isProvider: boolean
  /** False with `PASSWORD_GRANT=off`. */
  hasPasswordGrant: boolean
  /** False with `PASSKEYS=off`. */
  hasPasskeys: boolean
}

/**
 * The metadata of the authorization server (RFC 8414) and of the OpenID provider (OpenID Connect Discovery 1.0), which
 * are one document. It names only what works.
 */
export const metadataOf = ({ issuer, isProvider, hasPasswordGrant, hasPasskeys }: MetadataSettings) => ({
  issuer,
  ...(isProvider && { authorization_endpoint: `${issuer}/authorize` }),
  token_endpoint: `${issuer}/token`,
  ...(isProvider && {
    userinfo_endpoint: `${issuer}/userinfo`,
    end_session_endpoint: `${issuer}/end-session`,
    device_authorization_endpoint: `${issuer}/device_authorization`,
  }),
  jwks_uri: `${issuer}/.well-known/jwks.json`,
  revocation_endpoint: `${issuer}/revoke`,
  introspection_endpoint: `${issuer}/introspect`,
  response_types_supported: isProvider ? ['code'] : [],
  grant_types_supported: [
    ...(isProvider ? ['authorization_code', 'client_credentials', DEVICE_CODE_GRANT] : []),
    ...(hasPasswordGrant ? ['password'] : []),
    'refresh_token',
    MFA_GRANT,
    ...(hasPasskeys ? [PASSKEY_GRANT] : []),
  ],
  token_endpoint_auth_methods_supported: isProvider ? clientMethods : ['none'],
  revocation_endpoint_auth_methods_supported: isProvider ? clientMethods : ['none'],
  introspection_endpoint_auth_methods_supported: ['client_secret_basic', 'client_secret_post', 'Bearer'],
  ...(isProvider && {
    response_modes_supported: ['query', 'form_post'],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: ['RS256', 'ES256', 'EdDSA'],
    scopes_supported: [...standardScopes],
    claims_supported: [
      ...['iss', 'sub', 'aud', 'exp', 'iat', 'auth_time', 'nonce', 'acr', 'amr', 'at_hash', 'sid'],
      ...scopeClaims,
    ],
    acr_values_supported: [...levels],
    code_challenge_methods_supported: ['S256'],
    ui_locales_supported: [...locales],
    prompt_values_supported: ['none', 'login', 'consent', 'select_account', 'create'],
    authorization_response_iss_parameter_supported: true,
    request_parameter_supported: false,
    request_uri_parameter_supported: false,
    claims_parameter_supported: false,
    backchannel_logout_supported: true,
    backchannel_logout_session_supported: true,
  }),
  service_documentation: `${issuer}/docs`,
})

const clientMethods = ['client_secret_basic', 'client_secret_post', 'none']
