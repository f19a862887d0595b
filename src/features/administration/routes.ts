import { Elysia } from 'elysia'
import type { HttpKit } from '../../http/kit.ts'
import { refuseUnknownParameters } from '../../http/query.ts'
import { answer, problems } from '../../http/schemas.ts'
import { toUserView, UserView } from '../users/schemas.ts'
import type { Administration } from './administration.ts'
import { AuditPage, AuditQuery, toAuditEventView, UserPage, UserPath, UserQuery } from './schemas.ts'

const refusals = ['not_authenticated', 'invalid_token', 'forbidden'] as const

const cursorOf = (next: number | undefined): string | null => (next === undefined ? null : String(next))

/** Routes with which administrators read and change the accounts of others. */
export const administrationRoutes = (administration: Administration, kit: HttpKit) =>
  new Elysia({ name: 'keyward.administration' })
    .use(kit.plugin)
    .get(
      '/admin/users',
      async ({ request, query }) => {
        refuseUnknownParameters(request.url, Object.keys(UserQuery.properties))
        const { q, role, is_active, cursor = '0', limit = 50 } = query
        const isActive = is_active === undefined ? undefined : is_active === 'true'
        const { items, next } = await administration.listUsers({ q, role, isActive, after: Number(cursor), limit })
        return { items: items.map(toUserView), next_cursor: cursorOf(next) }
      },
      {
        access: 'users:read',
        query: UserQuery,
        response: { 200: answer('A page of users', UserPage), ...problems(...refusals, 'validation_failed') },
        detail: {
          operationId: 'listUsers',
          summary: 'List users',
          description:
            'Users by ascending id. A list that is read page by page has every user once who exists and matches all the time, whoever comes and goes meanwhile.',
          tags: ['administration'],
        },
      },
    )
    .get('/admin/users/:id', async ({ params }) => toUserView(await administration.findUser(params.id)), {
      access: 'users:read',
      params: UserPath,
      response: { 200: answer('The user', UserView), ...problems(...refusals, 'user_not_found') },
      detail: { operationId: 'getUser', summary: 'Get a user', tags: ['administration'] },
    })
    .get(
      '/admin/audit',
      async ({ request, query }) => {
        refuseUnknownParameters(request.url, Object.keys(AuditQuery.properties))
        const { after, event, user_id: userId, limit = 50 } = query
        const before = after === undefined ? undefined : Number(after)
        const { items, next } = await administration.listAudit({ event, userId, before, limit })
        return { items: items.map(toAuditEventView), next_cursor: cursorOf(next) }
      },
      {
        access: 'audit:read',
        query: AuditQuery,
        response: { 200: answer('A page of events', AuditPage), ...problems(...refusals, 'validation_failed') },
        detail: {
          operationId: 'listAuditEvents',
          summary: 'Read the audit log',
          description:
            'The newest event first. Send `next_cursor` as `after` to get the older events. `user_id` may be the id of a deleted user.',
          tags: ['administration'],
        },
      },
    )
