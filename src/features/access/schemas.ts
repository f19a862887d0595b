import { type Static, t } from 'elysia'
import { answer, optionalText } from '../../http/schemas.ts'
import { TokenForm } from '../sessions/schemas.ts'

/** The body of `/introspect` (RFC 7662 section 2.1), with the client secret of RFC 6749 section 2.3.1. */
export const IntrospectionForm = t.Object(
  {
    ...TokenForm.properties,
    client_id: optionalText('The id of a registered client, or any other name beside an API key'),
    client_secret: optionalText(
      'The secret of the client, or an API key with `tokens:introspect`, if there is no `Authorization` header',
    ),
  },
  { title: 'IntrospectionForm', examples: TokenForm.examples as unknown[] },
)

export type IntrospectionBody = Static<typeof IntrospectionForm>

export const IntrospectionAnswer = t.Object(
  {
    active: t.Boolean(),
    token_type: t.Optional(t.String()),
    iss: t.Optional(t.String()),
    sub: t.Optional(t.String()),
    aud: t.Optional(t.Union([t.String(), t.Array(t.String())])),
    client_id: t.Optional(t.String()),
    scope: t.Optional(t.String({ description: 'The granted scopes; `account` for a token of no client' })),
    username: t.Optional(t.String()),
    sid: t.Optional(t.String()),
    jti: t.Optional(t.String()),
    exp: t.Optional(t.Integer({ description: 'Seconds since 1970' })),
    iat: t.Optional(t.Integer({ description: 'Seconds since 1970' })),
    auth_time: t.Optional(t.Integer({ description: 'Seconds since 1970' })),
    acr: t.Optional(t.String({ description: 'The level: `aal1`, `aal2` or `phr`' })),
    amr: t.Optional(t.Array(t.String())),
    roles: t.Optional(t.Array(t.String())),
  },
  {
    title: 'Introspection',
    examples: [
      { active: true, sub: '1', username: 'user123', client_id: 'keyward', exp: 1767227400 },
      { active: false },
    ],
  },
)

export const ForwardedUser = answer('The request may pass', t.Void(), {
  'X-Auth-Request-User': 'The id of the user',
  'X-Auth-Request-Preferred-Username': 'The username',
  'X-Auth-Request-Email': 'The email address if it is verified, else empty',
  'X-Auth-Request-Groups': 'The roles, separated by commas',
  'X-Auth-Request-Acr': 'The level of the session: `aal1`, `aal2` or `phr`',
  'X-Auth-Request-Access-Token':
    'With `?token=1` a JWT of at most 60 s with the type `fa+jwt`, which the service verifies; else empty',
})
