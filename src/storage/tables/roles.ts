import type { Columns } from '../columns.ts'
import { userReference, type userTables } from './users.ts'

/**
 * The roles, and the roles that were granted to users. The role `user`, which every user has, is not granted.
 * @owner roles
 */
export const roleTables = (c: Columns, tables: ReturnType<typeof userTables>) => {
  const roles = c.table('roles', {
    name: c.text('name').primaryKey(),
    description: c.text('description').notNull(),
    /** The permissions of the role, as `resource:action`, space separated. */
    permissions: c.text('permissions').notNull(),
    /** True when the role counts only in sessions with a second factor. */
    requiresSecondFactor: c.bool('requires_second_factor').notNull().default(false),
    createdAt: c.int('created_at').notNull(),
  })
  const userRoles = c.table(
    'user_roles',
    {
      userId: userReference(c, tables, 'user_id'),
      role: c
        .text('role')
        .notNull()
        .references(() => roles.name, { onDelete: 'cascade' }),
      grantedAt: c.int('granted_at').notNull(),
    },
    (t) => [c.primaryKey({ columns: [t.userId, t.role] }), c.index('user_roles_role_index').on(t.role)],
  )
  return { roles, userRoles }
}
