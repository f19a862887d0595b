import { eq, or, sql } from 'drizzle-orm'
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
