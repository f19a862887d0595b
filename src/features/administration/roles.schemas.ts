import { type Static, t } from 'elysia'
import { optionalText } from '../../http/schemas.ts'
import { isBuiltIn, permissions, type Role } from '../roles/roles.ts'
import { cursorLike, limit, nextCursor } from './parts.schemas.ts'

const words = permissions.map((word) => `\`${word}\``).join(', ')

export const RoleView = t.Object(
  {
    name: t.String(),
    description: t.String(),
    permissions: t.Array(t.String(), { description: 'The permissions that the role gives' }),
    requires_second_factor: t.Boolean({
      description: '`true` when the role counts only in sessions with a second factor, once the grace days are over',
    }),
    built_in: t.Boolean({ description: '`true` for `user` and `admin`, which nobody can change or delete' }),
  },
  {
    title: 'Role',
    description: 'A named set of permissions',
    examples: [
      {
        name: 'support',
        description: 'Helps users',
        permissions: ['users:read'],
        requires_second_factor: false,
        built_in: false,
      },
    ],
  },
)

export const toRoleView = ({
  name,
  description,
  permissions: given,
  requiresSecondFactor,
}: Role): Static<typeof RoleView> => ({
  name,
  description,
  permissions: [...given],
  requires_second_factor: requiresSecondFactor,
  built_in: isBuiltIn(name),
})

export const RolePage = t.Object(
  { items: t.Array(RoleView), next_cursor: nextCursor },
  {
    title: 'RolePage',
    description: 'A part of the list of roles, by name',
    examples: [{ items: RoleView.examples as unknown[], next_cursor: null }],
  },
)

export const RoleQuery = t.Object({ cursor: cursorLike('^[A-Za-z0-9_-]{1,64}$', 'support'), limit })

export const RolePath = t.Object({ name: t.String({ description: 'The name of the role', examples: ['support'] }) })

const description = optionalText('What the role is for: at most 200 characters')
const given = t.Optional(t.Union([t.Array(t.String()), t.Null()], { description: `All permissions of it: ${words}` }))

const required = t.Optional(
  t.Union([t.Boolean(), t.Null()], {
    description: '`true` lets the role count only in sessions with a second factor. `false` if it is missing',
  }),
)

export const NewRoleBody = t.Object(
  {
    name: t.String({ description: '1 to 64 small letters, digits, `_` and `-`; begins with a letter' }),
    description,
    permissions: given,
    requires_second_factor: required,
  },
  {
    title: 'NewRole',
    examples: [
      { name: 'support', description: 'Helps users', permissions: ['users:read'], requires_second_factor: false },
    ],
  },
)

export const RoleChangeBody = t.Object(
  { description, permissions: given, requires_second_factor: required },
  { title: 'RoleChange', examples: [{ permissions: ['users:read', 'users:write'], requires_second_factor: true }] },
)
