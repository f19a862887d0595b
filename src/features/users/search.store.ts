import { and, asc, count, eq, gt, gte, inArray, lt, or, type SQL, sql } from 'drizzle-orm'
import type { Db } from '../../storage/store.ts'
import { userColumns } from '../../storage/tables/users.ts'
import type { User } from './user.ts'

export interface UserFilter {
  /** The beginning of a key of the user, or the user's id. */
  names?: { emailKey: string; usernameKey: string; id: number | undefined }
  /** A role that the user has. Every user has the role `user`. */
  role?: string
  isActive?: boolean
  externalId?: string
  /** Only users with a higher id. */
  after: number
  limit: number
}

type Column = Db['t']['users']['emailKey']

/**
 * When more users than this match a text, the users are read in the order of their ids until a page is full. When fewer
 * match, their ids are read from the indexes of the keys. The other way would be slow in either case: the ids of half a
 * million matches would be sorted, or a million users would be read to find three. At this number both take 3 to 5 ms
 * with a million users on SQLite.
 */
const MANY = 5000

export async function search(db: Db, { names, role, isActive, externalId, after, limit }: UserFilter): Promise<User[]> {
  const { users, userRoles } = db.t
  const holders = () => db.q.select({ id: userRoles.userId }).from(userRoles).where(eq(userRoles.role, role!))
  return db.q
    .select(userColumns(db))
    .from(users)
    .where(
      and(
        gt(users.id, after),
        isActive === undefined ? undefined : isActive ? eq(users.isActive, true) : sql`not ${users.isActive}`,
        externalId === undefined ? undefined : eq(users.externalId, externalId),
        role === undefined || role === 'user' ? undefined : inArray(users.id, holders()),
        names && (await named(db, names)),
      ),
    )
    .orderBy(asc(users.id))
    .limit(limit)
}

async function named(db: Db, { emailKey, usernameKey, id }: NonNullable<UserFilter['names']>): Promise<SQL> {
  const { users } = db.t
  const ranges: [Column, string][] = [
    [users.emailKey, emailKey],
    ...(usernameKey === '' ? [] : [[users.usernameKey, usernameKey] satisfies [Column, string]]),
  ]
  const inRange = ([column, key]: (typeof ranges)[number]) => and(gte(column, key), lt(column, endOf(key)))
  for (const range of ranges) {
    const some = db.q
      .select({ id: users.id })
      .from(users)
      .where(inRange(range))
      .limit(MANY + 1)
    const [row] = await db.q.select({ found: count() }).from(some.as('some'))
    if (row!.found > MANY) return matchesAny(users, ranges, id)
  }
  const conditions = [...ranges.map(inRange), ...(id === undefined ? [] : [eq(users.id, id)])]
  const ids = conditions.map((condition) => sql`select ${users.id} from ${users} where ${condition}`)
  return inArray(users.id, sql`(${sql.join(ids, sql` union all `)})`)
}

/** The condition without an index: both databases then read the users in the order of their ids. */
function matchesAny(users: Db['t']['users'], ranges: readonly [Column, string][], id: number | undefined): SQL {
  const inRange = ranges.map(([column, key]) => {
    const text = sql`(${column} || '')`
    return and(gte(text, key), lt(text, endOf(key)))
  })
  return or(...inRange, id === undefined ? undefined : eq(users.id, id))!
}

/** A text above every text that begins with `key`. The code point U+10FFFF is the highest, and no name has it. */
const endOf = (key: string): string => `${key}\u{10FFFF}`
