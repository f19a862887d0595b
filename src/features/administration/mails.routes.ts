import { Elysia } from 'elysia'
import type { HttpKit } from '../../http/kit.ts'
import { refuseUnknownParameters } from '../../http/query.ts'
import { answer, problems } from '../../http/schemas.ts'
import type { Administration } from './administration.ts'
import { fromMailCursor, MailPage, MailPath, MailQuery, MailView, toMailCursor, toMailView } from './mails.schemas.ts'
import { actorWith, PAGE, refusals, writeRefusals } from './parts.schemas.ts'

/** Routes with which administrators see what became of mails, and send one again. */
export function mailAdministrationRoutes(administration: Administration, kit: HttpKit) {
  const actorOf = actorWith(kit)
  return new Elysia({ name: 'keyward.administration.mails' })
    .use(kit.plugin)
    .get(
      '/admin/mail',
      async ({ request, query }) => {
        refuseUnknownParameters(request.url, Object.keys(MailQuery.properties))
        const { state, cursor, limit = PAGE } = query
        const { items, next } = await administration.listMails({ state, before: fromMailCursor(cursor), limit })
        return { items: items.map(toMailView), next_cursor: toMailCursor(next) }
      },
      {
        access: 'mail:read',
        query: MailQuery,
        response: { 200: answer('A page of mails', MailPage), ...problems(...refusals, 'validation_failed') },
        detail: {
          operationId: 'listMails',
          summary: 'List mails',
          description:
            'The newest first; mails that are not queued any more stay for 14 days. No answer has the text, the link or the code of a mail.',
          tags: ['administration'],
        },
      },
    )
    .post(
      '/admin/mail/:id/resend',
      async ({ request, params, set }) => {
        const mail = await administration.resendMail(actorOf(request), params.id)
        set.status = 202
        return toMailView(mail)
      },
      {
        access: 'mail:write',
        fresh: true,
        limit: 'account',
        params: MailPath,
        response: {
          202: answer('The mail is queued', MailView),
          ...problems(...writeRefusals, 'mail_not_found', 'mail_not_resendable', 'mail_not_configured'),
        },
        detail: {
          operationId: 'resendMail',
          summary: 'Send a mail again',
          description:
            'For a mail that was given up. It goes to the same address, with the same link and code. A mail that was sent, is queued or is for nobody, or whose link can no longer be used, is `409`.',
          tags: ['administration'],
        },
      },
    )
}
