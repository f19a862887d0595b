import { Elysia, t } from 'elysia'
import { invalidField } from '../../errors.ts'
import { noteUser, sessionOf } from '../../http/caller.ts'
import type { HttpKit } from '../../http/kit.ts'
import { bodyProblems, problems, withHeaders } from '../../http/schemas.ts'
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

const NoContent = t.Void({ description: 'Done' })

const ForwardedUser = withHeaders(t.Void({ description: 'The request may pass' }), {
  'X-Auth-Request-User': 'The id',
  'X-Auth-Request-Preferred-Username': 'The username',
  'X-Auth-Request-Email': 'The address, when it is verified',
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
        response: { 200: TokenPair, ...bodyProblems('invalid_refresh_token') },
        detail: { summary: 'Exchange a refresh token for a new pair', tags: ['tokens'] },
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
        response: { 204: NoContent, ...problems('not_authenticated', 'invalid_token') },
        detail: { summary: 'End this session and its tokens', tags: ['sessions'] },
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
        response: { 200: t.Array(SessionView), ...problems('not_authenticated', 'invalid_token') },
        detail: { summary: 'List the own sessions', tags: ['sessions'] },
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
        params: t.Object({ id: t.String({ description: 'As the list has it', examples: ['Dmre_alCbeRLXLZnuxdtDg'] }) }),
        response: { 204: NoContent, ...problems('not_authenticated', 'invalid_token', 'session_not_found') },
        detail: { summary: 'End one of the own sessions', tags: ['sessions'] },
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
        query: t.Object({ except: t.Optional(t.Literal('current')) }, { additionalProperties: false }),
        response: { 204: NoContent, ...problems('not_authenticated', 'invalid_token', 'validation_failed') },
        detail: { summary: 'End all of the own sessions, or all but this one', tags: ['sessions'] },
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
        response: { 200: NoContent, ...bodyProblems('invalid_client') },
        detail: { summary: 'End the session of a token (RFC 7009)', tags: ['tokens'] },
      },
    )
    .post('/introspect', ({ body }) => introspect(deps, body.token), {
      access: 'tokens:introspect',
      oauth: true,
      parse: 'strictForm',
      body: TokenForm,
      response: { 200: IntrospectionAnswer, ...bodyProblems('not_authenticated', 'invalid_token', 'forbidden') },
      detail: { summary: 'Ask whether a token is good (RFC 7662)', tags: ['tokens'] },
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
          summary: 'Judge a request for a proxy (nginx auth_request, Traefik, Caddy)',
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
              description: 'A permission likewise, such as `users:read`',
              example: 'users:read',
            },
          ],
        },
      },
    )
