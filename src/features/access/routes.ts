import { Elysia } from 'elysia'
import { sessionOf } from '../../http/caller.ts'
import type { HttpKit } from '../../http/kit.ts'
import { bodyProblems, problems } from '../../http/schemas.ts'
import { TokenForm } from '../sessions/schemas.ts'
import type { Access } from './access.ts'
import { forwardedHeaders } from './forward-auth.ts'
import { ForwardedUser, IntrospectionAnswer } from './schemas.ts'

/** Routes on which other services ask about the tokens that they receive. */
export const accessRoutes = (access: Access, kit: HttpKit) =>
  new Elysia({ name: 'keyward.access-routes' })
    .use(kit.plugin)
    .post('/introspect', ({ body }) => access.introspect(body.token), {
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
        await access.checkCondition(user, request.url)
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
