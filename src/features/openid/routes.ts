import { Elysia, t } from 'elysia'
import { clientOf, sessionOf } from '../../http/caller.ts'
import type { HttpKit } from '../../http/kit.ts'
import { answer, problems } from '../../http/schemas.ts'
import { type OpenId, userinfo } from './openid.ts'
import { ConsentView, toConsentView, UserInfo } from './schemas.ts'

/** The userinfo endpoint (OpenID Connect Core section 5.3), and what people allow applications. */
export function openIdRoutes(openid: OpenId, kit: HttpKit) {
  const routes = new Elysia({ name: 'keyward.openid' })
    .use(kit.plugin)
    .get(
      '/users/me/consents',
      async ({ request }) => (await openid.listConsents(sessionOf(request).userId)).map(toConsentView),
      {
        access: 'user',
        response: {
          200: answer('The applications that you allowed something, by name', t.Array(ConsentView)),
          ...problems('not_authenticated', 'invalid_token', 'insufficient_scope'),
        },
        detail: { operationId: 'listConsents', summary: 'List the applications that you use', tags: ['openid'] },
      },
    )
    .delete(
      '/users/me/consents/:id',
      async ({ request, params, set }) => {
        await openid.withdrawConsent(sessionOf(request), { clientId: params.id, ip: kit.clientIp(request) })
        set.status = 204
      },
      {
        access: 'user',
        limit: 'account',
        params: t.Object({ id: t.String({ description: 'The `client_id`', examples: ['kwa_k3m6q2z7x4c5v8b9n2m4'] }) }),
        response: {
          204: answer('The application is signed out, and has to ask again', t.Void()),
          ...problems('not_authenticated', 'invalid_token', 'insufficient_scope', 'client_not_found', 'rate_limited'),
        },
        detail: { operationId: 'withdrawConsent', summary: 'Disconnect an application', tags: ['openid'] },
      },
    )
  if (!openid.isProvider) return routes

  const readUserInfo = ({ request }: { request: Request }) => userinfo(clientOf(request))
  const route = {
    access: 'openid',
    response: {
      200: answer('The claims of the granted scopes', UserInfo),
      ...problems('not_authenticated', 'invalid_token', 'insufficient_scope'),
    },
  } as const
  const description =
    'For a client that signs users in: the access token needs the scope `openid`. The claims are those of the scopes `profile`, `email` and `groups`, as far as they were granted.'
  return routes
    .get('/userinfo', readUserInfo, {
      ...route,
      detail: { operationId: 'getUserInfo', summary: 'Get the claims about a user', description, tags: ['openid'] },
    })
    .post('/userinfo', readUserInfo, {
      ...route,
      limit: { none: 'it reads what GET reads' },
      parse: 'none',
      detail: { operationId: 'postUserInfo', summary: 'Get the claims about a user', description, tags: ['openid'] },
    })
}
