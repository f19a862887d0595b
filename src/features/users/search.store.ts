import { and, asc, count, desc, eq, gte, inArray, lt, or, type SQL, sql } from 'drizzle-orm'
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
  order: UserOrder
  /** Only users behind this one in the order. */
  after?: UserMark
  limit: number
}

/** An order of users. Users who registered at the same time are ordered by id. */
export interface UserOrder {
  by: 'id' | 'created_at' | 'email' | 'username'
  descending: boolean
}

/** The place of a user in an order. A list goes on behind it although the user may be gone. */
export interface UserMark {
  /** The id, the time, or the key of the address or of the username. */
  key: number | string
  id: number
}

type Column = Db['t']['users']['emailKey']

/**
 * When more users than this match a text, the users are read in the order of the list until a page is full. When fewer
 * match, their ids are read from the indexes of the keys. The other way would be slow in either case: the ids of half a
 * million matches would be sorted, or a million users would be read to find three. At this number both take 3 to 5 ms
 * with a million users on SQLite.
 */
const MANY = 5000

export async function search(db: Db, filter: UserFilter): Promise<User[]> {
  const { names, role, isActive, externalId, order, after, limit } = filter
  const { users, userRoles } = db.t
  const holders = () => db.q.select({ id: userRoles.userId }).from(userRoles).where(eq(userRoles.role, role!))
  return db.q
    .select(userColumns(db))
    .from(users)
    .where(
      and(
        after && isBehind(users, order, after),
        isActive === undefined ? undefined : isActive ? eq(users.isActive, true) : await inactive(db, order),
        externalId === undefined ? undefined : eq(users.externalId, externalId),
        role === undefined || role === 'user' ? undefined : inArray(users.id, holders()),
        names && (await named(db, names)),
      ),
    )
    .orderBy(...columnsOf(users, order.by).map((column) => (order.descending ? desc(column) : asc(column))))
    .limit(limit)
}

/** The columns of an order, which together differ for any two users. Each order has an index. */
function columnsOf(users: Db['t']['users'], by: UserOrder['by']) {
  switch (by) {
    case 'id':
      return [users.id]
    case 'created_at':
      return [users.createdAt, users.id]
    case 'email':
      return [users.emailKey]
    case 'username':
      return [users.usernameKey]
  }
}

function isBehind(users: Db['t']['users'], { by, descending }: UserOrder, { key, id }: UserMark): SQL {
  const than = descending ? sql`<` : sql`>`
  if (by === 'created_at') return sql`(${users.createdAt}, ${users.id}) ${than} (${key}, ${id})`
  const [column] = columnsOf(users, by)
  return sql`${column} ${than} ${key}`
}

/**
 * The condition for deactivated users. SQLite would otherwise read all users in the order of a time or a name to find a
 * few: 0.4 s for 200,000 users. When many are deactivated, the list is soon full in any order.
 */
async function inactive(db: Db, { by }: UserOrder): Promise<SQL> {
  const { users } = db.t
  const isInactive = sql`not ${users.isActive}`
  if (by === 'id') return isInactive
  const some = db.q
    .select({ id: users.id })
    .from(users)
    .where(isInactive)
    .limit(MANY + 1)
  const [row] = await db.q.select({ found: count() }).from(some.as('some'))
  if (row!.found > MANY) return isInactive
  return inArray(users.id, sql`(select ${users.id} from ${users} where ${isInactive})`)
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

/** The condition without an index: both databases then read the users in the order of the list. */
function matchesAny(users: Db['t']['users'], ranges: readonly [Column, string][], id: number | undefined): SQL {
  const inRange = ranges.map(([column, key]) => {
    const text = sql`(${column} || '')`
    return and(gte(text, key), lt(text, endOf(key)))
  })
  return or(...inRange, id === undefined ? undefined : eq(users.id, id))!
}

/** A text above every text that begins with `key`. The code point U+10FFFF is the highest, and no name has it. */
const endOf = (key: string): string => `${key}\u{10FFFF}`
