import { type Static, t } from 'elysia'
import { optionalText } from '../../http/schemas.ts'
import { rfc3339 } from '../../lib/clock.ts'
import { TokenAnswer, TokenBody } from '../accounts/schemas.ts'
import type { ClientGrant, ConsentSummary, DeviceAuthorization } from './openid.ts'

/** A request to the token endpoint: of a person's own program, or of a registered client. */
export const TokenEndpointBody = t.Object(
  {
    ...TokenBody.properties,
    grant_type: optionalText(
      '`password`, which is the default, `refresh_token`, `urn:keyward:oauth:grant-type:mfa`, `urn:keyward:oauth:grant-type:passkey`, or for registered clients `authorization_code` or `client_credentials`',
    ),
    scope: optionalText(
      'Of a login any value, which is answered by `account`: the program acts as the user. Of a registered client the scopes that it wants',
    ),
    client_id: optionalText('Of a registered client that sends no Basic header; any other value is ignored'),
    client_secret: optionalText('Of a confidential client that sends no Basic header'),
    code: optionalText('With `grant_type=authorization_code`'),
    redirect_uri: optionalText('With `code`: the same as in the authorization request'),
    code_verifier: optionalText('With `code`: the verifier of PKCE (RFC 7636)'),
    resource: optionalText('With `grant_type=client_credentials`: one of the registered resources (RFC 8707)'),
    device_code: optionalText('With the grant of a device (RFC 8628)'),
    mfa_token: optionalText('With `grant_type=urn:keyward:oauth:grant-type:mfa`: from the `403` of the login'),
    recovery_code: optionalText('With `mfa_token`, in place of `otp`'),
    webauthn: optionalText('With `mfa_token`, in place of `otp`: the answer of the browser, as JSON text'),
    credential: optionalText(
      'With `grant_type=urn:keyward:oauth:grant-type:passkey`: the answer of the browser, as JSON text',
    ),
  },
  { title: 'TokenRequest', examples: TokenBody.examples as unknown[] },
)

export const TokenEndpointAnswer = t.Object(
  {
    access_token: t.String(),
    token_type: t.Union([t.Literal('bearer'), t.Literal('Bearer')], { description: '`Bearer` for registered clients' }),
    expires_in: t.Integer({ description: 'Seconds' }),
    refresh_token: t.Optional(t.String({ description: 'For one use; absent for a client without this grant' })),
    scope: t.Optional(t.String({ description: 'What was granted; after a login `account`, if a scope was named' })),
    id_token: t.Optional(
      t.String({ description: 'For a client with the scope `openid` (OpenID Connect Core section 2)' }),
    ),
    device_token: TokenAnswer.properties.device_token,
    trusted_device_token: TokenAnswer.properties.trusted_device_token,
    second_factor_due: TokenAnswer.properties.second_factor_due,
  },
  { title: 'TokenResponse', examples: TokenAnswer.examples as unknown[] },
)

export const toClientAnswer = (grant: ClientGrant): Static<typeof TokenEndpointAnswer> => ({
  access_token: grant.accessToken,
  token_type: 'Bearer',
  expires_in: grant.expiresIn,
  scope: grant.scope,
  ...(grant.refreshToken !== undefined && { refresh_token: grant.refreshToken }),
  ...(grant.idToken !== undefined && { id_token: grant.idToken }),
})

/** The claims about a user (OpenID Connect Core section 5.1). A claim without a value is absent. */
export const UserInfo = t.Object(
  {
    sub: t.String({ description: 'The id of the user, as in the ID token' }),
    name: t.Optional(t.String({ description: 'With the scope `profile`' })),
    preferred_username: t.Optional(t.String({ description: 'With the scope `profile`' })),
    updated_at: t.Optional(t.Integer({ description: 'Seconds since 1970; with the scope `profile`' })),
    email: t.Optional(t.String({ description: 'With the scope `email`' })),
    email_verified: t.Optional(t.Boolean({ description: 'With the scope `email`' })),
    groups: t.Optional(t.Array(t.String(), { description: 'The roles; with the scope `groups`' })),
  },
  {
    title: 'UserInfo',
    examples: [{ sub: '1', name: 'Ada Lovelace', preferred_username: 'ada', updated_at: 1_767_225_600 }],
  },
)

export const ConsentView = t.Object(
  {
    client_id: t.String(),
    client_name: t.String(),
    home_uri: t.Union([t.String(), t.Null()]),
    scopes: t.Array(t.String()),
    granted_at: t.String(),
    last_used_at: t.String(),
  },
  {
    title: 'Consent',
    description: 'What you allow an application',
    examples: [
      {
        client_id: 'kwa_k3m6q2z7x4c5v8b9n2m4',
        client_name: 'Wiki',
        home_uri: 'https://wiki.example.com',
        scopes: ['openid', 'profile'],
        granted_at: '2026-01-01T00:00:00.000Z',
        last_used_at: '2026-01-02T08:30:00.000Z',
      },
    ],
  },
)

export const toConsentView = (consent: ConsentSummary): Static<typeof ConsentView> => ({
  client_id: consent.clientId,
  client_name: consent.clientName,
  home_uri: consent.homeUri,
  scopes: consent.scopes.split(' '),
  granted_at: rfc3339(consent.grantedAt),
  last_used_at: rfc3339(consent.lastUsedAt),
})

export const DeviceForm = t.Object(
  {
    client_id: optionalText('Of a client that sends no Basic header'),
    client_secret: optionalText('Of a confidential client that sends no Basic header'),
    scope: optionalText('The scopes that the device wants'),
    resource: optionalText('One of the registered resources (RFC 8707)'),
  },
  { title: 'DeviceRequest', examples: [{ client_id: 'kwa_k3m6q2z7x4c5v8b9n2m4', scope: 'openid profile' }] },
)

/** The codes of a device (RFC 8628 section 3.2). */
export const DeviceAnswer = t.Object(
  {
    device_code: t.String({ description: 'For `POST /token`; the device keeps it for itself' }),
    user_code: t.String({ description: 'The device shows it' }),
    verification_uri: t.String({ description: 'The page where the user types the code' }),
    verification_uri_complete: t.String({ description: 'The same page with the code, for a QR code' }),
    expires_in: t.Integer({ description: 'Seconds' }),
    interval: t.Integer({ description: 'The least seconds between two polls' }),
  },
  {
    title: 'DeviceAuthorization',
    examples: [
      {
        device_code: 'kwv_3q2wZ…',
        user_code: 'BDWP-HQPK',
        verification_uri: 'https://auth.example.com/device',
        verification_uri_complete: 'https://auth.example.com/device?user_code=BDWP-HQPK',
        expires_in: 600,
        interval: 5,
      },
    ],
  },
)

export const toDeviceAnswer = (
  { deviceCode, userCode, expiresInSeconds, intervalSeconds }: DeviceAuthorization,
  issuer: string,
): Static<typeof DeviceAnswer> => ({
  device_code: deviceCode,
  user_code: userCode,
  verification_uri: `${issuer}/device`,
  verification_uri_complete: `${issuer}/device?user_code=${userCode}`,
  expires_in: expiresInSeconds,
  interval: intervalSeconds,
})
