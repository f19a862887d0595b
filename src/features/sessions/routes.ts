import { Elysia, t } from 'elysia'
import { invalidField } from '../../errors.ts'
import { noteUser, sessionOf } from '../../http/caller.ts'
import type { HttpKit } from '../../http/kit.ts'
import { answer, bodyProblems, problems } from '../../http/schemas.ts'
import { FormError, parseQuery } from '../../lib/form.ts'
import type { Deps } from '../../service.ts'
import { checkCondition, forwardedHeaders } from '../access/forward-auth.ts'
import { introspect } from '../access/introspect.ts'
import { endOwnSession, endOwnSessions, logout, revoke } from './end.ts'
import { listOwnSessions } from './list.ts'
import { refresh } from './refresh.ts'
import {
  IntrospectionAnswer,
  RefreshBody,
  SessionView,
  TokenForm,
  TokenPair,
  toSessionView,
  toTokenPair,
} from './schemas.ts'

/** Why tokens are not counted: a limit would only hurt a backend that refreshes for all of its users. */
const unguessable = {
  none: 'nobody guesses a MAC of 256 bits, and a token that we did not make costs one read',
} as const

/** Whether a query has more than `known` parameters, or cannot be read. */
function hasMore(url: string, known: number): boolean {
  try {
    return Object.keys(parseQuery(url)).length !== known
  } catch (error) {
    if (error instanceof FormError) return true
    throw error
  }
}

const nothing = (description: string) => answer(description, t.Void())

const ForwardedUser = answer('The request may pass', t.Void(), {
  'X-Auth-Request-User': 'The id of the user',
  'X-Auth-Request-Preferred-Username': 'The username',
  'X-Auth-Request-Email': 'The email address if it is verified, else empty',
  'X-Auth-Request-Groups': 'The roles, separated by commas',
})

/** Refreshing, seeing and ending sessions, and what other services ask about their tokens. */
export const sessionRoutes = (deps: Deps, kit: HttpKit) =>
  new Elysia({ name: 'keyward.sessions' })
    .use(kit.plugin)
    .post(
      '/token/refresh',
      async ({ request, body }) => {
        const granted = await refresh(deps, body.refresh_token, kit.origin(request))
        noteUser(request, granted.userId)
        return toTokenPair(granted)
      },
      {
        open: true,
        limit: unguessable,
        oauth: true,
        parse: 'strictJson',
        body: RefreshBody,
        response: { 200: answer('A token pair', TokenPair), ...bodyProblems('invalid_refresh_token') },
        detail: {
          operationId: 'refreshTokens',
          summary: 'Refresh your tokens',
          description:
            'Each refresh token is for one use: store the new pair at once. If the answer got lost, send the same token again, and you get the same pair: always within 10 seconds, and within an hour if the new pair was not used (the server can be configured otherwise). Any older refresh token counts as stolen and ends the session.',
          tags: ['tokens'],
        },
      },
    )
    .post(
      '/logout',
      async ({ request, set }) => {
        await logout(deps, sessionOf(request), kit.clientIp(request))
        set.status = 204
      },
      {
        access: 'user',
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
        const principal = sessionOf(request)
        return (await listOwnSessions(deps, principal)).map(toSessionView(principal.sessionId))
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
        await endOwnSession(deps, sessionOf(request), params.id, kit.clientIp(request))
        set.status = 204
      },
      {
        access: 'user',
        params: t.Object({
          id: t.String({ description: 'The `id` in the list of your sessions', examples: ['Dmre_alCbeRLXLZnuxdtDg'] }),
        }),
        response: {
          204: nothing('The session has ended'),
          ...problems('not_authenticated', 'invalid_token', 'session_not_found'),
        },
        detail: { operationId: 'endSession', summary: 'End a session', tags: ['sessions'] },
      },
    )
    .delete(
      '/users/me/sessions',
      async ({ request, query, set }) => {
        const exceptCurrent = query.except === 'current'
        // Elysia drops a parameter that it does not know: a misspelt one must not end the present session too.
        if (hasMore(request.url, exceptCurrent ? 1 : 0)) throw invalidField('query', 'Only except=current is known')
        await endOwnSessions(deps, sessionOf(request), { exceptCurrent, ip: kit.clientIp(request) })
        set.status = 204
      },
      {
        access: 'user',
        query: t.Object(
          { except: t.Optional(t.Literal('current', { description: 'Keeps this session' })) },
          { additionalProperties: false },
        ),
        response: {
          204: nothing('The sessions have ended'),
          ...problems('not_authenticated', 'invalid_token', 'validation_failed'),
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
      async ({ request, body, set }) => {
        await revoke(deps, body.token, kit.clientIp(request))
        set.status = 200
      },
      {
        open: true,
        limit: unguessable,
        oauth: true,
        parse: 'strictForm',
        body: TokenForm,
        response: { 200: nothing('The token is not valid any more, or never was'), ...bodyProblems('invalid_client') },
        detail: {
          operationId: 'revokeToken',
          summary: 'Revoke a token',
          description:
            'Ends the session of an access or refresh token, and so all tokens of that session (RFC 7009). The answer is the same for an unknown token.',
          tags: ['tokens'],
        },
      },
    )
    .post('/introspect', ({ body }) => introspect(deps, body.token), {
      access: 'tokens:introspect',
      oauth: true,
      parse: 'strictForm',
      body: TokenForm,
      response: {
        200: answer('The claims of the token, or only `active: false` if it is not valid', IntrospectionAnswer),
        ...bodyProblems('not_authenticated', 'invalid_token', 'forbidden'),
      },
      detail: {
        operationId: 'introspectToken',
        summary: 'Introspect a token',
        description:
          'Tells a service whether an access or refresh token is valid now, and whose it is (RFC 7662). The service authenticates with an API key.',
        tags: ['tokens'],
        security: [{ bearer: [] }],
      },
    })
    .get(
      '/forward-auth',
      async ({ request, set }) => {
        const { user } = sessionOf(request)
        await checkCondition(deps, user, request.url)
        Object.assign(set.headers, forwardedHeaders(user))
      },
      {
        access: 'user',
        response: { 200: ForwardedUser, ...problems('not_authenticated', 'invalid_token', 'forbidden') },
        detail: {
          operationId: 'forwardAuth',
          summary: 'Authorize a request for a proxy',
          description:
            'For nginx `auth_request`, and forward authentication of Traefik and Caddy. `200` lets the request pass and names the user in `X-Auth-Request-*` headers, which the proxy passes on: each of them is always there, empty where there is no value. `401` and `403` refuse it.',
          tags: ['tokens'],
          parameters: [
            {
              name: 'role',
              in: 'query',
              schema: { type: 'string' },
              description: 'A role that the user must hold, such as `admin`',
              example: 'user',
            },
            {
              name: 'permission',
              in: 'query',
              schema: { type: 'string' },
              description: 'A permission that the user must hold, such as `users:read`',
              example: 'users:read',
            },
          ],
        },
      },
    )
