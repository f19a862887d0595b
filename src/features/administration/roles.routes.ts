import { Elysia, type Static } from 'elysia'
import type { HttpKit } from '../../http/kit.ts'
import { locationFrom } from '../../http/location.ts'
import { refuseUnknownParameters } from '../../http/query.ts'
import { pathOf } from '../../http/route-table.ts'
import { answer, bodyProblems, problems } from '../../http/schemas.ts'
import type { Administration } from './administration.ts'
import { actorWith, cursorOf, done, PAGE, refusals, writeRefusals } from './parts.schemas.ts'
import { NewRoleBody, RoleChangeBody, RolePage, RolePath, RoleQuery, RoleView, toRoleView } from './roles.schemas.ts'

const charge = 'You need every permission of the role, and of every user who has it.'

const textOf = ({ description, permissions, requires_second_factor: required }: Static<typeof RoleChangeBody>) => ({
  description: description ?? undefined,
  permissions: permissions ?? undefined,
  requiresSecondFactor: required ?? undefined,
})

/** Routes with which administrators read and change roles. */
export function roleRoutes(administration: Administration, kit: HttpKit) {
  const actorOf = actorWith(kit)
  const change = { access: 'roles:write', fresh: true, limit: 'account' } as const
  return new Elysia({ name: 'keyward.administration.roles' })
    .use(kit.plugin)
    .get(
      '/admin/roles',
      async ({ request, query }) => {
        refuseUnknownParameters(request.url, Object.keys(RoleQuery.properties))
        const { cursor = '', limit = PAGE } = query
        const { items, next } = await administration.listRoles({ after: cursor, limit })
        return { items: items.map(toRoleView), next_cursor: cursorOf(next) }
      },
      {
        access: 'roles:read',
        query: RoleQuery,
        response: { 200: answer('A page of roles', RolePage), ...problems(...refusals, 'validation_failed') },
        detail: { operationId: 'listRoles', summary: 'List roles', tags: ['administration'] },
      },
    )
    .get('/admin/roles/:name', async ({ params }) => toRoleView(await administration.findRole(params.name)), {
      access: 'roles:read',
      params: RolePath,
      response: { 200: answer('The role', RoleView), ...problems(...refusals, 'role_not_found') },
      detail: { operationId: 'getRole', summary: 'Get a role', tags: ['administration'] },
    })
    .post(
      '/admin/roles',
      async ({ request, body, set }) => {
        const role = await administration.createRole(actorOf(request), { name: body.name, ...textOf(body) })
        set.status = 201
        set.headers.location = locationFrom(pathOf(request.url), `/admin/roles/${role.name}`)
        return toRoleView(role)
      },
      {
        ...change,
        parse: 'strictJson',
        body: NewRoleBody,
        response: {
          201: answer('The role', RoleView, { Location: 'Where to read the role, relative to this address' }),
          ...bodyProblems(...writeRefusals, 'validation_failed', 'role_taken'),
        },
        detail: {
          operationId: 'createRole',
          summary: 'Create a role',
          description:
            'A role without permissions gives no right at Keyward, and is in the tokens of its users for your services. With `requires_second_factor`, tokens of a session without a second factor do not have the role. You need every permission of the new role.',
          tags: ['administration'],
        },
      },
    )
    .patch(
      '/admin/roles/:name',
      async ({ request, params, body }) =>
        toRoleView(await administration.updateRole(actorOf(request), params.name, textOf(body))),
      {
        ...change,
        params: RolePath,
        parse: 'strictJson',
        body: RoleChangeBody,
        response: {
          200: answer('The role', RoleView),
          ...bodyProblems(...writeRefusals, 'validation_failed', 'role_not_found', 'role_built_in'),
        },
        detail: {
          operationId: 'updateRole',
          summary: 'Change a role',
          description: `\`permissions\` replaces all permissions of the role, at once for every user who has it. With \`requires_second_factor\`, a user without a second factor keeps the role for SECOND_FACTOR_GRACE_DAYS from the next login or refresh on. ${charge} The roles \`user\` and \`admin\` cannot be changed.`,
          tags: ['administration'],
        },
      },
    )
    .delete(
      '/admin/roles/:name',
      async ({ request, params, set }) => {
        await administration.deleteRole(actorOf(request), params.name)
        set.status = 204
      },
      {
        ...change,
        params: RolePath,
        response: {
          204: done('The role is deleted'),
          ...problems(...writeRefusals, 'role_not_found', 'role_built_in'),
        },
        detail: {
          operationId: 'deleteRole',
          summary: 'Delete a role',
          description: `Withdraws the role from every user at once. ${charge} The roles \`user\` and \`admin\` cannot be deleted.`,
          tags: ['administration'],
        },
      },
    )
}
