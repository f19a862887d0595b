import { t } from 'elysia'
import { metadataOf } from './openid.ts'

const optionalUrl = t.Optional(t.String())
const optionalList = t.Optional(t.Array(t.String()))
const optionalFlag = t.Optional(t.Boolean())

/** The schema of the metadata. What belongs to the OpenID provider is absent when no client can be registered. */
export const ServerMetadata = t.Object(
  {
    issuer: t.String({ description: 'The `iss` of tokens, and the start of every URL here' }),
    authorization_endpoint: optionalUrl,
    token_endpoint: t.String(),
    userinfo_endpoint: optionalUrl,
    end_session_endpoint: optionalUrl,
    device_authorization_endpoint: optionalUrl,
    jwks_uri: t.String(),
    revocation_endpoint: t.String(),
    introspection_endpoint: t.String(),
    response_types_supported: t.Array(t.String()),
    response_modes_supported: optionalList,
    grant_types_supported: t.Array(t.String()),
    subject_types_supported: optionalList,
    id_token_signing_alg_values_supported: optionalList,
    scopes_supported: optionalList,
    claims_supported: optionalList,
    acr_values_supported: optionalList,
    code_challenge_methods_supported: optionalList,
    ui_locales_supported: optionalList,
    prompt_values_supported: optionalList,
    token_endpoint_auth_methods_supported: t.Array(t.String()),
    revocation_endpoint_auth_methods_supported: t.Array(t.String()),
    introspection_endpoint_auth_methods_supported: t.Array(t.String(), {
      description:
        '`Bearer`: an access token or an API key with `tokens:introspect` in the `Authorization` header; the others: a registered client, or an API key as client secret',
    }),
    authorization_response_iss_parameter_supported: optionalFlag,
    request_parameter_supported: optionalFlag,
    request_uri_parameter_supported: optionalFlag,
    claims_parameter_supported: optionalFlag,
    backchannel_logout_supported: optionalFlag,
    backchannel_logout_session_supported: optionalFlag,
    service_documentation: t.String(),
  },
  {
    title: 'ServerMetadata',
    description: 'Server metadata (RFC 8414, OpenID Connect Discovery 1.0)',
    examples: [
      metadataOf({ issuer: 'https://auth.example.com', isProvider: true, hasPasswordGrant: true, hasPasskeys: true }),
    ],
  },
)
