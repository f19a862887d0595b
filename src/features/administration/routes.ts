import { Elysia } from 'elysia'
import type { HttpKit } from '../../http/kit.ts'
import { locationFrom } from '../../http/location.ts'
import { refuseUnknownParameters } from '../../http/query.ts'
import { pathOf } from '../../http/route-table.ts'
import { answer, bodyProblems, problems } from '../../http/schemas.ts'
import type { Administration } from './administration.ts'
import { actorWith, cursorOf, done, PAGE, refusals, writeRefusals } from './parts.schemas.ts'
import {
  AddedUserBody,
  AuditPage,
  AuditQuery,
  MailQueued,
  ManagedUserView,
  toAuditEventView,
  toManagedUserView,
  UserChangeBody,
  UserPage,
  UserPath,
  UserQuery,
  UserRolePath,
} from './schemas.ts'
import { fromUserCursor, orderOf, toUserCursor } from './user-order.ts'

const changeRefusals = [...writeRefusals, 'user_not_found'] as const

const rank = 'You need every permission that the user has. A request that changes nothing writes nothing.'

/** Routes with which administrators read and change the accounts of others. */
export function administrationRoutes(administration: Administration, kit: HttpKit) {
  const actorOf = actorWith(kit)
  const change = { access: 'users:write', fresh: true, limit: 'account', params: UserPath } as const
  const roleChange = { ...change, access: 'roles:write', params: UserRolePath } as const
  return new Elysia({ name: 'keyward.administration' })
    .use(kit.plugin)
    .get(
      '/admin/users',
      async ({ request, query }) => {
        refuseUnknownParameters(request.url, Object.keys(UserQuery.properties))
        const { q, role, is_active, external_id: externalId, sort = 'id', cursor, limit = PAGE } = query
        const isActive = is_active === undefined ? undefined : is_active === 'true'
        const order = orderOf(sort)
        const after = cursor === undefined ? undefined : fromUserCursor(cursor, order)
        const { items, next } = await administration.listUsers({ q, role, isActive, externalId, order, after, limit })
        return { items: items.map(toManagedUserView), next_cursor: next ? toUserCursor(next, order) : null }
      },
      {
        access: 'users:read',
        query: UserQuery,
        response: { 200: answer('A page of users', UserPage), ...problems(...refusals, 'validation_failed') },
        detail: {
          operationId: 'listUsers',
          summary: 'List users',
          description:
            'A list that is read page by page has every user once who exists and matches all the time, whoever comes and goes meanwhile. Send the same `sort` with each `cursor`.',
          tags: ['administration'],
        },
      },
    )
    .post(
      '/admin/users',
      async ({ request, body, set }) => {
        const { email, username, password, name, locale, roles } = body
        const added = { email, username, password: password ?? undefined, name: name ?? undefined, locale }
        const user = await administration.addUser(actorOf(request), { ...added, roles: roles ?? [] })
        set.status = 201
        set.headers.location = locationFrom(pathOf(request.url), `/admin/users/${user.id}`)
        return toManagedUserView(user)
      },
      {
        access: 'users:write',
        fresh: true,
        limit: 'account',
        parse: 'strictJson',
        body: AddedUserBody,
        response: {
          201: answer('The new user', ManagedUserView, {
            Location: 'Where to read the user, relative to this address',
          }),
          ...bodyProblems(
            ...refusals,
            'reauthentication_required',
            'rate_limited',
            'validation_failed',
            'email_taken',
            'username_taken',
            'overloaded',
            'mail_not_configured',
          ),
        },
        detail: {
          operationId: 'createUser',
          summary: 'Create or invite a user',
          description:
            'Creates a user, also while registration is closed. Without `password` the user gets a mail with a link to choose one, which works once, for 72 hours, or for 24 hours if the user has any permission. Nobody can log in before that. `roles` needs `roles:write`, and every permission of each role.',
          tags: ['administration'],
        },
      },
    )
    .post(
      '/admin/users/:id/invitation',
      async ({ request, params, set }) => {
        await administration.inviteAgain(actorOf(request), params.id)
        set.status = 202
        return { message: 'A mail is on its way' }
      },
      {
        ...change,
        response: {
          202: answer('A mail is on its way', MailQueued),
          ...problems(...changeRefusals, 'user_inactive', 'not_invited', 'mail_not_configured'),
        },
        detail: {
          operationId: 'inviteAgain',
          summary: 'Invite a user again',
          description: `Mails another link to a user who has not accepted the invitation. Earlier links are void. ${rank}`,
          tags: ['administration'],
        },
      },
    )
    .get('/admin/users/:id', async ({ params }) => toManagedUserView(await administration.findUser(params.id)), {
      access: 'users:read',
      params: UserPath,
      response: { 200: answer('The user', ManagedUserView), ...problems(...refusals, 'user_not_found') },
      detail: { operationId: 'getUser', summary: 'Get a user', tags: ['administration'] },
    })
    .get(
      '/admin/audit',
      async ({ request, query }) => {
        refuseUnknownParameters(request.url, Object.keys(AuditQuery.properties))
        const { after, event, user_id: userId, limit = PAGE } = query
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
    .patch(
      '/admin/users/:id',
      async ({ request, params, body }) => {
        const { is_active, inactive_until, reason, username, name } = body
        return toManagedUserView(
          await administration.updateUser(actorOf(request), params.id, {
            isActive: is_active ?? undefined,
            inactiveUntil: inactive_until ?? undefined,
            reason: reason ?? undefined,
            username: username ?? undefined,
            name,
          }),
        )
      },
      {
        ...change,
        parse: 'strictJson',
        body: UserChangeBody,
        response: {
          200: answer('The user', ManagedUserView),
          ...bodyProblems(...changeRefusals, 'validation_failed', 'username_taken', 'last_admin'),
        },
        detail: {
          operationId: 'updateUser',
          summary: 'Change, deactivate or activate a user',
          description: `Changes the members that you send. A deactivation ends all sessions of the user, and the user must log in again after an activation. With \`inactive_until\` the user becomes active by itself within ten seconds of that time; a deactivation without it has no end, also that of a user who is deactivated already. The former username stays reserved for the user. The last administrator cannot be deactivated. ${rank}`,
          tags: ['administration'],
        },
      },
    )
    .delete(
      '/admin/users/:id',
      async ({ request, params, set }) => {
        await administration.removeUser(actorOf(request), params.id)
        set.status = 204
      },
      {
        ...change,
        response: { 204: done('The user is deleted'), ...problems(...changeRefusals, 'last_admin') },
        detail: {
          operationId: 'deleteUser',
          summary: 'Delete a user',
          description: `Deletes the user and everything that is stored about the person, at once and for good. Only the id stays, in audit events, and the username stays reserved. ${rank}`,
          tags: ['administration'],
        },
      },
    )
    .delete(
      '/admin/users/:id/sessions',
      async ({ request, params, set }) => {
        await administration.endSessionsOf(actorOf(request), params.id)
        set.status = 204
      },
      {
        ...change,
        response: { 204: done('The user has no session any more'), ...problems(...changeRefusals) },
        detail: {
          operationId: 'endSessionsOfUser',
          summary: 'End all sessions of a user',
          description: rank,
          tags: ['administration'],
        },
      },
    )
    .post(
      '/admin/users/:id/password-reset',
      async ({ request, params, set }) => {
        await administration.mailReset(actorOf(request), params.id)
        set.status = 202
        return { message: 'A mail is on its way' }
      },
      {
        ...change,
        response: {
          202: answer('A mail is on its way', MailQueued),
          ...problems(...changeRefusals, 'user_inactive', 'invitation_pending', 'mail_not_configured'),
        },
        detail: {
          operationId: 'mailPasswordReset',
          summary: 'Mail a user a link to choose a new password',
          description: `The present password and all sessions stay valid until the user chooses a new one. The link works once, for 30 minutes. ${rank}`,
          tags: ['administration'],
        },
      },
    )
    .put(
      '/admin/users/:id/roles/:role',
      async ({ request, params, set }) => {
        await administration.grantRole(actorOf(request), params)
        set.status = 204
      },
      {
        ...roleChange,
        response: { 204: done('The user has the role'), ...problems(...changeRefusals, 'role_not_found') },
        detail: {
          operationId: 'grantRole',
          summary: 'Grant a role',
          description: `The role is in the next access token of the user, and counts at Keyward at once. You need every permission of the role; only an administrator grants \`admin\`. ${rank}`,
          tags: ['administration'],
        },
      },
    )
    .delete(
      '/admin/users/:id/roles/:role',
      async ({ request, params, set }) => {
        await administration.withdrawRole(actorOf(request), params)
        set.status = 204
      },
      {
        ...roleChange,
        response: {
          204: done('The user does not have the role'),
          ...problems(...changeRefusals, 'role_not_found', 'validation_failed', 'last_admin'),
        },
        detail: {
          operationId: 'withdrawRole',
          summary: 'Withdraw a role',
          description: `The role is missing in the next access token of the user, and does not count at Keyward any more at once. The last administrator stays one. ${rank}`,
          tags: ['administration'],
        },
      },
    )
}
