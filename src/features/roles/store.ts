import { and, count, eq, ne, or, sql } from 'drizzle-orm'
import type { EpochMs } from '../../lib/clock.ts'
import { type Db, statements } from '../../storage/store.ts'

const prepared = statements(({ q, t: { roles, userRoles } }) => ({
  permissionsOfUser: q
    .selectDistinct({ permissions: roles.permissions })
    .from(roles)
    .leftJoin(userRoles, eq(userRoles.role, roles.name))
    .where(or(eq(roles.name, 'user'), eq(userRoles.userId, sql.placeholder('userId'))))
    .prepare(),
}))

/** The permission lists of all roles of a user, `user` included. */
export const permissionsOfUser = async (db: Db, userId: number): Promise<string[]> =>
  (await prepared(db).permissionsOfUser.execute({ userId })).map((row) => row.permissions)

/** Gives a role; false when the user had it. Violates a foreign key when either is not there. */
export async function give(
  { q, t: { userRoles } }: Db,
  grant: { userId: number; role: string; grantedAt: EpochMs },
): Promise<boolean> {
  const given = await q.insert(userRoles).values(grant).onConflictDoNothing().returning({ role: userRoles.role })
  return given.length > 0
}

/** Makes changes to who is an administrator wait for each other until the transaction ends. */
export const lockRole = ({ q, t: { roles } }: Db, name: string): Promise<unknown> =>
  q.update(roles).set({ name }).where(eq(roles.name, name))

/** How many active users other than this one have the role. */
export async function countOtherHolders(
  { q, t: { users, userRoles } }: Db,
  { role, userId }: { role: string; userId: number },
): Promise<number> {
  const [row] = await q
    .select({ holders: count() })
    .from(userRoles)
    .innerJoin(users, eq(users.id, userRoles.userId))
    .where(and(eq(userRoles.role, role), eq(users.isActive, true), ne(users.id, userId)))
  return row!.holders
}
