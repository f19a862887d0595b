import { Elysia, t } from 'elysia'
import { invalidField } from '../../errors.ts'
import { noteUser, sessionOf } from '../../http/caller.ts'
import type { HttpKit } from '../../http/kit.ts'
import { answer, bodyProblems, problems } from '../../http/schemas.ts'
import { sentClient } from '../../http/sent-client.ts'
import { FormError, parseQuery } from '../../lib/form.ts'
import type { Clients } from '../clients/clients.ts'
import {
  RefreshBody,
  Revocation,
  RevocationForm,
  SessionView,
  TokenPair,
  toSessionView,
  toTokenPair,
} from './schemas.ts'
import type { Sessions } from './sessions.ts'

/**
 * The reason why the routes that take a refresh token have no rate limit. A limit would hinder a backend that refreshes
 * for all of its users from one address.
 */
const unguessable = {
  none: 'nobody guesses a MAC of 256 bits, and a token that Keyward did not make costs one read; a genuine one changes its session, which a login has paid for',
} as const

/** Returns true when a query does not have exactly `known` parameters, or cannot be parsed. */
function hasMore(url: string, known: number): boolean {
  try {
    return Object.keys(parseQuery(url)).length !== known
  } catch (error) {
    if (error instanceof FormError) return true
    throw error
  }
}

const nothing = (description: string) => answer(description, t.Void())

/** Routes that refresh, list and end sessions. */
export const sessionRoutes = (
  { sessions, clients }: { sessions: Sessions; clients: Pick<Clients, 'identify'> },
  kit: HttpKit,
) =>
  new Elysia({ name: 'keyward.sessions' })
    .use(kit.plugin)
    .post(
      '/token/refresh',
      async ({ request, body }) => {
        const granted = await sessions.refresh(body.refresh_token, kit.origin(request), {
          scope: body.scope ?? undefined,
        })
        noteUser(request, granted.userId)
        return toTokenPair(granted)
      },
      {
        open: true,
        limit: unguessable,
        oauth: true,
        parse: 'jsonOrForm',
        body: RefreshBody,
        response: { 200: answer('A token pair', TokenPair), ...bodyProblems('invalid_refresh_token') },
        detail: {
          operationId: 'refreshTokens',
          summary: 'Refresh your tokens',
          description:
            'Each refresh token is for one use: store the new pair at once. If the answer was lost, send the same token again and you get the same pair: always within 10 seconds, and up to three times in a session within an hour, from the same network or with the same `User-Agent`, if the new pair was not used (the server can have other times). Any older refresh token counts as stolen and ends the session.',
          tags: ['tokens'],
        },
      },
    )
    .post(
      '/logout',
      async ({ request, set }) => {
        await sessions.logout(sessionOf(request), kit.clientIp(request))
        set.status = 204
      },
      {
        access: 'user',
        limit: { none: 'it ends the session of the request, and each session has cost a login' },
        response: { 204: nothing('You are logged out'), ...problems('not_authenticated', 'invalid_token') },
        detail: {
          operationId: 'logout',
          summary: 'Log out',
          description:
            'Ends this session with its access and refresh tokens. Keep the device token for the next login.',
          tags: ['sessions'],
        },
      },
    )
    .get(
      '/users/me/sessions',
      async ({ request }) => {
        const caller = sessionOf(request)
        return (await sessions.listOwn(caller)).map(toSessionView(caller.sessionId))
      },
      {
        access: 'user',
        response: {
          200: answer('Your sessions', t.Array(SessionView)),
          ...problems('not_authenticated', 'invalid_token'),
        },
        detail: { operationId: 'listSessions', summary: 'List your sessions', tags: ['sessions'] },
      },
    )
    .delete(
      '/users/me/sessions/:id',
      async ({ request, params, set }) => {
        await sessions.endOwn(sessionOf(request), params.id, kit.clientIp(request))
        set.status = 204
      },
      {
        access: 'user',
        limit: 'account',
        params: t.Object({
          id: t.String({ description: 'The `id` in the list of your sessions', examples: ['Dmre_alCbeRLXLZnuxdtDg'] }),
        }),
        response: {
          204: nothing('The session has ended'),
          ...problems('not_authenticated', 'invalid_token', 'session_not_found', 'rate_limited'),
        },
        detail: { operationId: 'endSession', summary: 'End a session', tags: ['sessions'] },
      },
    )
    .delete(
      '/users/me/sessions',
      async ({ request, query, set }) => {
        const exceptCurrent = query.except === 'current'
        // Elysia drops unknown parameters. Without this check, a misspelt `except` would end the current session.
        if (hasMore(request.url, exceptCurrent ? 1 : 0)) throw invalidField('query', 'Only except=current is known')
        await sessions.endOwnAll(sessionOf(request), { exceptCurrent, ip: kit.clientIp(request) })
        set.status = 204
      },
      {
        access: 'user',
        limit: 'account',
        query: t.Object(
          { except: t.Optional(t.Literal('current', { description: 'Keeps this session' })) },
          { additionalProperties: false },
        ),
        response: {
          204: nothing('The sessions have ended'),
          ...problems('not_authenticated', 'invalid_token', 'validation_failed', 'rate_limited'),
        },
        detail: {
          operationId: 'endSessions',
          summary: 'End your sessions',
          description: 'Ends all your sessions, this one too unless you send `except=current`.',
          tags: ['sessions'],
        },
      },
    )
    .post(
      '/revoke',
      async ({ request, body }) => {
        const sent = sentClient(request, body)
        const requester = kit.requester(request)
        const client = sent && (await clients.identify({ ...sent, ...requester }))
        if (client) await sessions.endForClient({ token: body.token, clientId: client.id, ip: requester.ip })
        else await sessions.revoke(body.token, requester.ip)
        return {}
      },
      {
        open: true,
        limit: 'client',
        oauth: true,
        parse: 'formOrJson',
        body: RevocationForm,
        response: {
          200: answer('The token is no longer valid, or never was', Revocation),
          ...bodyProblems('invalid_client', 'rate_limited'),
        },
        detail: {
          operationId: 'revokeToken',
          summary: 'Revoke a token',
          description:
            'Ends the session of an access or refresh token, and with it all tokens of that session (RFC 7009). The answer is the same for an unknown token. A registered client authenticates, and revokes its own tokens only; other credentials are ignored.',
          tags: ['tokens'],
        },
      },
    )
