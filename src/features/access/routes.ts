import { Elysia } from 'elysia'
import { KeywardError } from '../../errors.ts'
import { authenticated, sessionOf } from '../../http/caller.ts'
import { bearerToken } from '../../http/guard.ts'
import type { HttpKit } from '../../http/kit.ts'
import { answer, bodyProblems, problems } from '../../http/schemas.ts'
import type { Access } from './access.ts'
import { ForwardedUser, IntrospectionAnswer, type IntrospectionBody, IntrospectionForm } from './schemas.ts'

/** Routes with which other services check the tokens that these services receive. */
export function accessRoutes(access: Access, kit: HttpKit) {
  /** The guard finds a caller only by the header `Authorization`. Otherwise the form has the secret. */
  async function authorizeForm(request: Request, { client_id: id, client_secret: secret }: IntrospectionBody) {
    if (!secret) throw new KeywardError('not_authenticated')
    const asked = { access: 'tokens:introspect', ...kit.requester(request) }
    return access.authorizeSecret({ id: id ?? '', secret }, asked)
  }

  return new Elysia({ name: 'keyward.access-routes' })
    .use(kit.plugin)
    .post(
      '/introspect',
      async ({ request, body }) => {
        const caller = authenticated(request) ?? (await authorizeForm(request, body))
        return access.introspect(body.token, {
          clientId: caller.kind === 'client-itself' ? caller.clientId : undefined,
        })
      },
      {
        access: 'tokens:introspect',
        limit: 'client',
        oauth: true,
        parse: 'strictForm',
        secret: true,
        body: IntrospectionForm,
        response: {
          200: answer('The claims of the token, or only `active: false` if it is not valid', IntrospectionAnswer),
          ...bodyProblems('not_authenticated', 'invalid_token', 'invalid_client', 'forbidden', 'rate_limited'),
        },
        detail: {
          operationId: 'introspectToken',
          summary: 'Introspect a token',
          description:
            'Tells a service whether an access or refresh token is valid now, and who its user is (RFC 7662). The service authenticates with an API key: as a Bearer token, or as the client secret beside any client id that is not registered, by Basic authentication or in the form. A registered client authenticates with its own secret, and learns only about its own tokens. Only wrong client secrets count in the limit.',
          tags: ['tokens'],
          security: [{ bearer: [] }, { clientSecret: [] }],
        },
      },
    )
    .get(
      '/forward-auth',
      async ({ request, set }) => {
        const asked = { url: request.url, token: bearerToken(request) }
        Object.assign(set.headers, await access.forwardAuth(sessionOf(request), asked))
      },
      {
        access: 'user',
        proxied: true,
        response: {
          200: ForwardedUser,
          ...problems('not_authenticated', 'invalid_token', 'forbidden', 'reauthentication_required'),
        },
        detail: {
          operationId: 'forwardAuth',
          summary: 'Authorize a request for a proxy',
          description:
            'For nginx `auth_request`, forward authentication of Traefik and Caddy, and `ext_authz` of Envoy and Istio. Every method is answered as GET, and so is every path below, whose path and query are not read; no body is read. `200` lets the request pass and names the user in `X-Auth-Request-*` headers, which the proxy forwards. Every answer has each of them, empty without a value. `401` and `403` refuse the request.',
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
              description: 'A permission that the user must hold, such as `tokens:introspect`',
              example: 'tokens:introspect',
            },
            {
              name: 'acr',
              in: 'query',
              schema: { type: 'string', enum: ['aal1', 'aal2', 'phr'] },
              description:
                'The least level of the session: `aal2` for two factors, `phr` for a passkey. If only that is missing, the answer is `401` with `acr_values` in `WWW-Authenticate` (RFC 9470).',
              example: 'aal1',
            },
            {
              name: 'token',
              in: 'query',
              schema: { type: 'string', enum: ['1'] },
              description: 'Asks for `X-Auth-Request-Access-Token`. It is `403` with `JWT_COMPAT=fastapi`.',
              example: '1',
            },
          ],
        },
      },
    )
}
