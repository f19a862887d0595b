import { type Static, t } from 'elysia'
import { optionalText } from '../../http/schemas.ts'
import { rfc3339 } from '../../lib/clock.ts'
import type { Grant, SessionSummary } from './sessions.ts'

const token = 'eyJhbGciOiJFUzI1NiIsImtpZCI6Ii4uLiIsInR5cCI6ImF0K2p3dCJ9.e30.c2ln'
const refreshToken = 'kwr_AQ5q3v2pQm3kS1y2Z7sXbQAAAAAB'

/** The answer to a refresh, and a part of the answer to a login (RFC 6749 section 5.1). */
export const TokenPair = t.Object(
  {
    access_token: t.String(),
    token_type: t.Literal('bearer'),
    expires_in: t.Integer({ description: 'Seconds' }),
    refresh_token: t.String({ description: 'For one use; replaces the one that you sent' }),
    scope: t.Optional(t.Literal('account', { description: 'If the request named a scope: the only one there is' })),
  },
  {
    title: 'TokenPair',
    examples: [{ access_token: token, token_type: 'bearer', expires_in: 1800, refresh_token: refreshToken }],
  },
)

export const toTokenPair = (grant: Grant): Static<typeof TokenPair> => ({
  access_token: grant.accessToken,
  token_type: 'bearer',
  expires_in: grant.expiresIn,
  refresh_token: grant.refreshToken,
  ...(grant.scope === 'account' && { scope: 'account' as const }),
})

/** The `scope` of a login or refresh. Many OAuth libraries send a scope, although Keyward grants only `account`. */
export const scopeText = optionalText('Any value is answered by `account`: the client acts as the user')

export const RefreshBody = t.Object(
  { refresh_token: t.String(), scope: scopeText },
  { title: 'RefreshRequest', examples: [{ refresh_token: refreshToken }] },
)

/** The body of `/revoke` (RFC 7009 section 2.1), and a part of the body of `/introspect` (RFC 7662 section 2.1). */
export const TokenForm = t.Object(
  {
    token: t.String(),
    token_type_hint: optionalText('Allowed and ignored: Keyward recognizes both types'),
  },
  { title: 'TokenForm', examples: [{ token: refreshToken }] },
)

/** The body of `/revoke` with the credentials of a client (RFC 6749 section 2.3.1). */
export const RevocationForm = t.Object(
  {
    ...TokenForm.properties,
    client_id: optionalText('Of a registered client that sends no Basic header; any other value is ignored'),
    client_secret: optionalText('Of a confidential client that sends no Basic header'),
  },
  { title: 'RevocationForm', examples: TokenForm.examples as unknown[] },
)

export const SessionView = t.Object(
  {
    id: t.String(),
    current: t.Boolean({ description: 'Whether it is the session of this request' }),
    created_at: t.String(),
    last_used_at: t.String({
      description: 'The time of the last login or refresh; of a browser session, of the last use, to five minutes',
    }),
    expires_at: t.String(),
    ip: t.Union([t.String(), t.Null()]),
    user_agent: t.Union([t.String(), t.Null()]),
    device: t.Union([t.String(), t.Null()], { description: 'Browser and system by the user agent of the login' }),
    amr: t.Array(t.String(), { description: 'How the user logged in (RFC 8176)' }),
    kind: t.Union([t.Literal('api'), t.Literal('browser'), t.Literal('client')], {
      description: '`api`: a login with tokens; `browser`: a sign-in on a page; `client`: an application',
    }),
    client: t.Union(
      [
        t.Object({
          id: t.String(),
          name: t.Union([t.String(), t.Null()]),
          offline: t.Boolean({ description: 'Whether the session goes on after the sign-in on the page has ended' }),
        }),
        t.Null(),
      ],
      { description: 'The application of a session of the kind `client`' },
    ),
  },
  {
    title: 'Session',
    description: 'A session',
    examples: [
      {
        id: 'Dmre_alCbeRLXLZnuxdtDg',
        current: true,
        created_at: '2026-01-01T00:00:00.000Z',
        last_used_at: '2026-01-02T08:30:00.000Z',
        expires_at: '2026-02-01T08:30:00.000Z',
        ip: '192.0.2.1',
        user_agent: 'Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0',
        device: 'Firefox on Linux',
        amr: ['pwd'],
        kind: 'api',
        client: null,
      },
    ],
  },
)

/** The answer of `/revoke`. RFC 7009 section 2.2 gives its body no meaning, but some clients parse the body as JSON. */
export const Revocation = t.Object({}, { title: 'Revocation', examples: [{}] })

export const toSessionView =
  (currentId: string) =>
  (session: SessionSummary): Static<typeof SessionView> => ({
    id: session.id,
    current: session.id === currentId,
    created_at: rfc3339(session.createdAt),
    last_used_at: rfc3339(session.lastUsedAt),
    expires_at: rfc3339(session.expiresAt),
    ip: session.ip,
    user_agent: session.userAgent,
    device: session.deviceName || null,
    amr: session.amr.split(' '),
    kind: session.kind,
    client:
      session.clientId === null ? null : { id: session.clientId, name: session.clientName, offline: session.isOffline },
  })
