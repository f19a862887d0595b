import { Elysia } from 'elysia'
import type { HttpKit } from '../../http/kit.ts'
import { answer, bodyProblems, problems } from '../../http/schemas.ts'
import type { Administration } from './administration.ts'
import { FactorPath, FactorResetBody, ManagedFactors, toManagedFactorView } from './factors.schemas.ts'
import { actorWith, done, refusals, writeRefusals } from './parts.schemas.ts'
import { MailQueued, UserPath } from './schemas.ts'

const rank = 'You need every permission that the user has, and it is `409` for your own account.'

/** Routes with which administrators help users who have lost their second factors. */
export function factorAdministrationRoutes(administration: Administration, kit: HttpKit) {
  const actorOf = actorWith(kit)
  const change = { access: 'users:write', fresh: true, limit: 'account' } as const
  const removal = [...writeRefusals, 'user_not_found', 'own_account', 'no_factor', 'validation_failed'] as const
  return new Elysia({ name: 'keyward.administration.factors' })
    .use(kit.plugin)
    .get(
      '/admin/users/:id/factors',
      async ({ params }) => ({ factors: (await administration.listFactors(params.id)).map(toManagedFactorView) }),
      {
        access: 'users:read',
        params: UserPath,
        response: { 200: answer('The factors', ManagedFactors), ...problems(...refusals, 'user_not_found') },
        detail: {
          operationId: 'listFactorsOfUser',
          summary: 'List the second factors of a user',
          tags: ['administration'],
        },
      },
    )
    .post(
      '/admin/users/:id/factor-recovery',
      async ({ request, params, set }) => {
        await administration.startFactorRecovery(actorOf(request), params.id)
        set.status = 202
        return { message: 'A mail is on its way' }
      },
      {
        ...change,
        params: UserPath,
        response: {
          202: answer('A mail is on its way', MailQueued),
          ...problems(
            ...writeRefusals,
            'user_not_found',
            'own_account',
            'no_factor',
            'user_inactive',
            'invitation_pending',
            'mail_not_configured',
          ),
        },
        detail: {
          operationId: 'startFactorRecovery',
          summary: 'Let a user remove lost second factors',
          description: `Mails the user a link, which works once, for 24 hours. \`POST /factor-recovery/finish\` with the link and the password removes all factors; the link alone does nothing. A new password voids the link. ${rank}`,
          tags: ['administration'],
        },
      },
    )
    .delete(
      '/admin/users/:id/factors',
      async ({ request, params, body, set }) => {
        await administration.removeFactors(actorOf(request), params.id, { reason: body.reason })
        set.status = 204
      },
      {
        ...change,
        params: UserPath,
        parse: 'strictJson',
        body: FactorResetBody,
        response: { 204: done('The user has no second factor any more'), ...bodyProblems(...removal) },
        detail: {
          operationId: 'removeFactorsOfUser',
          summary: 'Remove all second factors of a user',
          description: `At once, with the recovery codes. All sessions of the user end, and the user gets a mail. Make sure who asks for it: prefer \`POST /admin/users/{id}/factor-recovery\`, which also needs the password. ${rank}`,
          tags: ['administration'],
        },
      },
    )
    .delete(
      '/admin/users/:id/factors/:fid',
      async ({ request, params, body, set }) => {
        const { id, fid: factorId } = params
        await administration.removeFactors(actorOf(request), id, { factorId, reason: body.reason })
        set.status = 204
      },
      {
        ...change,
        params: FactorPath,
        parse: 'strictJson',
        body: FactorResetBody,
        response: { 204: done('The factor is removed'), ...bodyProblems(...removal, 'factor_not_found') },
        detail: {
          operationId: 'removeFactorOfUser',
          summary: 'Remove a second factor of a user',
          description: `As for all factors; the recovery codes go with the last one. ${rank}`,
          tags: ['administration'],
        },
      },
    )
}
