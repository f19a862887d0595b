import { and, count, eq, isNull, ne, or } from 'drizzle-orm'
import type { EpochMs } from '../../lib/clock.ts'
import { named, queryRows, statements } from '../../storage/statements.ts'
import type { Db } from '../../storage/store.ts'

const prepared = statements(({ t: { roles, userRoles } }, { selectDistinct }) => ({
  permissionsOfUser: selectDistinct({ permissions: roles.permissions }, (q) =>
    q
      .from(roles)
      .leftJoin(userRoles, eq(userRoles.role, roles.name))
      .where(or(eq(roles.name, 'user'), eq(userRoles.userId, named('userId')))),
  ),
}))

/** Returns `roles.permissions` of each role of a user, including the role `user`, which every user has. */
export const permissionsOfUser = async (db: Db, userId: number): Promise<string[]> =>
  (await queryRows(db, prepared(db).permissionsOfUser, { userId })).map((row) => row.permissions)

/**
 * Gives a role to a user.
 * @returns false when the user already had the role
 * @throws the database's error for a violated foreign key when the role or the user does not exist
 */
export async function give(
  { q, t: { userRoles } }: Db,
  grant: { userId: number; role: string; grantedAt: EpochMs },
): Promise<boolean> {
  const given = await q.insert(userRoles).values(grant).onConflictDoNothing().returning({ role: userRoles.role })
  return given.length > 0
}

/** Takes a role from a user. @returns false when the user did not have the role */
export async function take(
  { q, t: { userRoles } }: Db,
  { userId, role }: { userId: number; role: string },
): Promise<boolean> {
  const taken = await q
    .delete(userRoles)
    .where(and(eq(userRoles.userId, userId), eq(userRoles.role, role)))
    .returning({ role: userRoles.role })
  return taken.length > 0
}

/** `roles.permissions` of a role; undefined when there is no such role. */
export async function permissionsOfRole({ q, t: { roles } }: Db, name: string): Promise<string | undefined> {
  const [row] = await q.select({ permissions: roles.permissions }).from(roles).where(eq(roles.name, name))
  return row?.permissions
}

/** The roles that were granted to a user, with the times. */
export const grantsOf = (
  { q, t: { userRoles } }: Db,
  userId: number,
): Promise<{ role: string; grantedAt: EpochMs }[]> =>
  q.select({ role: userRoles.role, grantedAt: userRoles.grantedAt }).from(userRoles).where(eq(userRoles.userId, userId))

/** Locks the role's row until the transaction ends. Meanwhile, another transaction waits in its call of `lockRole`. */
export const lockRole = ({ q, t: { roles } }: Db, name: string): Promise<unknown> =>
  q.update(roles).set({ name }).where(eq(roles.name, name))

/** Counts the active users who have the role and can log in. The user `userId` and invited users are not counted. */
export async function countOtherHolders(
  { q, t: { users, userRoles } }: Db,
  { role, userId }: { role: string; userId: number },
): Promise<number> {
  const [row] = await q
    .select({ holders: count() })
    .from(userRoles)
    .innerJoin(users, eq(users.id, userRoles.userId))
    .where(and(eq(userRoles.role, role), eq(users.isActive, true), isNull(users.invitedAt), ne(users.id, userId)))
  return row!.holders
}
