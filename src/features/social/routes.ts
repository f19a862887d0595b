import { Elysia, t } from 'elysia'
import { sessionOf } from '../../http/caller.ts'
import type { HttpKit } from '../../http/kit.ts'
import { answer, bodyProblems, freshCodes, problems } from '../../http/schemas.ts'
import { PasswordProof } from '../accounts/schemas.ts'
import { IdentityPath, IdentityView, toIdentityView } from './schemas.ts'
import type { Social } from './social.ts'

/** Routes with which users see and remove the accounts at providers that sign them in. */
export const socialRoutes = (social: Social, kit: HttpKit) =>
  new Elysia({ name: 'keyward.social' })
    .use(kit.plugin)
    .get(
      '/users/me/identities',
      async ({ request }) => (await social.listIdentities(sessionOf(request).userId)).map(toIdentityView),
      {
        access: 'user',
        response: {
          200: answer('Your identities', t.Array(IdentityView)),
          ...problems('not_authenticated', 'invalid_token'),
        },
        detail: { operationId: 'listIdentities', summary: 'List your identities', tags: ['accounts'] },
      },
    )
    .delete(
      '/users/me/identities/:id',
      async ({ request, params, body, set }) => {
        const proof = { password: body?.password, ...kit.requester(request) }
        await social.unlinkOwn(sessionOf(request), { ...proof, id: params.id })
        set.status = 204
      },
      {
        access: 'user',
        fresh: true,
        limit: ['login', 'account'],
        params: IdentityPath,
        parse: 'optionalJson',
        body: t.Optional(PasswordProof),
        response: {
          204: answer('The identity no longer signs you in', t.Void()),
          ...bodyProblems(...freshCodes, 'validation_failed', 'identity_not_found', 'last_login_method'),
        },
        detail: {
          operationId: 'unlinkIdentity',
          summary: 'Remove one of your identities',
          description:
            'The account at the provider no longer signs you in. You get a mail. The last identity of a user without a password is `409`: set a password first.',
          tags: ['accounts'],
        },
      },
    )
