import { t } from 'elysia'
import { answer } from '../../http/schemas.ts'

export const IntrospectionAnswer = t.Object(
  {
    active: t.Boolean(),
    token_type: t.Optional(t.String()),
    iss: t.Optional(t.String()),
    sub: t.Optional(t.String()),
    aud: t.Optional(t.String()),
    client_id: t.Optional(t.String()),
    username: t.Optional(t.String()),
    sid: t.Optional(t.String()),
    jti: t.Optional(t.String()),
    exp: t.Optional(t.Integer({ description: 'Seconds since 1970' })),
    iat: t.Optional(t.Integer({ description: 'Seconds since 1970' })),
    auth_time: t.Optional(t.Integer({ description: 'Seconds since 1970' })),
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
  'X-Auth-Request-Access-Token':
    'With `?token=1` a JWT of at most 60 s with the type `fa+jwt`, which the service verifies; else empty',
})
