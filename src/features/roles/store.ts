import { and, asc, count, eq, gt, inArray, isNull, ne, or, sql } from 'drizzle-orm'
import type { EpochMs } from '../../lib/clock.ts'
import { named, queryRows, statements } from '../../storage/statements.ts'
import type { Db } from '../../storage/store.ts'

const prepared = statements(({ t: { roles, userRoles } }, { selectDistinct }) => ({
  permissionsOfUser: selectDistinct({ role: roles.name, permissions: roles.permissions }, (q) =>
    q
      .from(roles)
      .leftJoin(userRoles, eq(userRoles.role, roles.name))
      .where(or(eq(roles.name, 'user'), eq(userRoles.userId, named('userId')))),
  ),
}))

/** Returns each role of a user with its `roles.permissions`, including the role `user`, which every user has. */
export const permissionsOfUser = async (db: Db, userId: number): Promise<{ role: string; permissions: string }[]> =>
  queryRows(db, prepared(db).permissionsOfUser, { userId })

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

/** A role for the user with an address. */
export interface AddressedGrant {
  /** `users.email_key` of the user. */
  email: string
  role: string
}

/** The most grants of one `giveMany`. */
export const GRANTS = 500

/** Gives roles. Passes over a user or a role that does not exist. @returns the grants that are new */
export async function giveMany(
  { q, t: { users, userRoles, roles } }: Db,
  grants: readonly AddressedGrant[],
  grantedAt: EpochMs,
): Promise<{ userId: number; role: string }[]> {
  const emails = [...new Set(grants.map(({ email }) => email))]
  const holders = await q
    .select({ id: users.id, email: users.emailKey })
    .from(users)
    .where(inArray(users.emailKey, emails))
  const ids = new Map(holders.map(({ id, email }) => [email, id]))
  const known = new Set((await q.select({ name: roles.name }).from(roles)).map(({ name }) => name))
  const rows = grants.flatMap(({ email, role }) => {
    const userId = ids.get(email)
    return userId !== undefined && known.has(role) ? [{ userId, role, grantedAt }] : []
  })
  if (rows.length === 0) return []
  const { userId, role } = userRoles
  return q.insert(userRoles).values(rows).onConflictDoNothing().returning({ userId, role })
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

/** A role as it is stored. `permissions` are separated by spaces. */
export type StoredRole = Omit<Db['t']['roles']['$inferSelect'], 'createdAt'>

const roleColumns = ({ t: { roles } }: Db) => ({
  name: roles.name,
  description: roles.description,
  permissions: roles.permissions,
  requiresSecondFactor: roles.requiresSecondFactor,
})

export const list = (db: Db, { after, limit }: { after: string; limit: number }): Promise<StoredRole[]> =>
  db.q
    .select(roleColumns(db))
    .from(db.t.roles)
    .where(gt(db.t.roles.name, after))
    .orderBy(asc(db.t.roles.name))
    .limit(limit)

export const all = (db: Db): Promise<StoredRole[]> => db.q.select(roleColumns(db)).from(db.t.roles)

export const find = async (db: Db, name: string): Promise<StoredRole | undefined> =>
  (await db.q.select(roleColumns(db)).from(db.t.roles).where(eq(db.t.roles.name, name)))[0]

/** Adds a role. @returns false when a role has this name */
export async function insert({ q, t: { roles } }: Db, role: StoredRole & { createdAt: EpochMs }): Promise<boolean> {
  const added = await q.insert(roles).values(role).onConflictDoNothing().returning({ name: roles.name })
  return added.length > 0
}

export const update = ({ q, t: { roles } }: Db, { name, ...values }: StoredRole): Promise<unknown> =>
  q.update(roles).set(values).where(eq(roles.name, name))

/** Deletes a role. The database deletes its rows in `user_roles`. */
export const remove = ({ q, t: { roles } }: Db, name: string): Promise<unknown> =>
  q.delete(roles).where(eq(roles.name, name))

export async function countHolders({ q, t: { userRoles } }: Db, role: string): Promise<number> {
  const [row] = await q.select({ holders: count() }).from(userRoles).where(eq(userRoles.role, role))
  return row!.holders
}

/** Returns true when a user has the role `role` and also one of `others`. */
export async function haveCommonHolder(
  { q, t: { userRoles } }: Db,
  role: string,
  others: readonly string[],
): Promise<boolean> {
  const hasRole = sql`exists (select 1 from user_roles as second where second.user_id = ${userRoles.userId} and second.role = ${role})`
  const rows = await q
    .select({ id: userRoles.userId })
    .from(userRoles)
    .where(and(inArray(userRoles.role, [...others]), hasRole))
    .limit(1)
  return rows.length > 0
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
