import { and, eq, inArray, type SQL, sql } from 'drizzle-orm'
import type { Db } from '../../storage/store.ts'
import { userColumns } from '../../storage/tables/users.ts'
import { type Beginning, firstIn, isInAny, type Part, type Range, rangesOf, usersIn } from './matching.store.ts'
import { isBehind, termsOf, type UserOrder } from './order.store.ts'
import type { User } from './user.ts'

export interface UserFilter extends Part {
  names?: Beginning
  /** A role that the user has. Every user has the role `user`. */
  role?: string
  isActive?: boolean
  externalId?: string
}

/**
 * A filter that meets more users than this is crowded. The ids of others are read from their index. A list with crowded
 * filters only is read in its order until a page is full, if that is soon. At this number both take 3 to 5 ms with a
 * million users on SQLite.
 */
const MANY = 5000

/**
 * The most users that are read in the order of a list to learn whether a page is soon full: in up to 2 ms by id or time,
 * while each user is elsewhere on the disk in the order of a name. It is not soon full when all matches are far away in
 * the order: then the matches are sorted, instead of reading up to all users in vain.
 */
const near = ({ by }: UserOrder): number => (by === 'id' || by === 'created_at' ? 10_000 : 2_500)

/** A condition in two forms. */
interface Filter {
  isCrowded: boolean
  /** Reads the users from an index. @param others holds for them too */
  seek(others: SQL | undefined): SQL
  /** Tests users who are read in the order of the list. */
  test: SQL
  /** True when `seek` reads no more users than the page has, although the filter is crowded. */
  isOrdered?: boolean
  /** True for the filter by a text. */
  ofText?: boolean
}

export async function search(db: Db, filter: UserFilter): Promise<User[]> {
  const { isActive, externalId, order, after, limit } = filter
  const { users } = db.t
  const always = and(
    isActive === true ? eq(users.isActive, true) : undefined,
    externalId === undefined ? undefined : eq(users.externalId, externalId),
  )
  const { condition, isList } = await chosen(db, filter, always)
  // PostgreSQL would otherwise read all users in the order, and look each up in the list.
  const means = isList && db.dialect === 'postgresql' ? 'sorted' : 'indexed'
  return db.q
    .select(userColumns(db))
    .from(users)
    .where(and(after && isBehind(db, order, after, means), always, condition))
    .orderBy(...termsOf(db, order, means))
    .limit(limit)
}

/** The condition for the filters. With `isList` it lists the ids of a text's users, which indexes find. */
async function chosen(
  db: Db,
  filter: UserFilter,
  always: SQL | undefined,
): Promise<{ condition: SQL | undefined; isList: boolean }> {
  const filters = await filtersOf(db, filter)
  const few = filters.filter(({ isCrowded }) => !isCrowded)
  const crowded = filters.filter(({ isCrowded }) => isCrowded)
  const tests = and(...crowded.map(({ test }) => test))
  const isList = (found: readonly Filter[]) => found.some(({ ofText }) => ofText)
  if (few.length > 0) return { condition: and(...few.map(({ seek }) => seek(undefined)), tests), isList: isList(few) }
  const [first, ...others] = crowded.sort(
    (one, other) => Number(other.isOrdered === true) - Number(one.isOrdered === true),
  )
  const tested = { condition: tests, isList: false }
  if (first === undefined || filter.externalId !== undefined) return tested
  if (!first.isOrdered && (await isSoonFull(db, filter, and(always, tests)))) return tested
  return { condition: first.seek(and(always, ...others.map(({ test }) => test))), isList: isList([first]) }
}

async function filtersOf(db: Db, filter: UserFilter): Promise<Filter[]> {
  const { users, userRoles } = db.t
  const { names, role, isActive, order } = filter
  const ranges = names ? rangesOf(names) : []
  const holders = sql`select ${userRoles.userId} from ${userRoles} where ${userRoles.role} = ${role}`
  const isInactive = sql`not ${users.isActive}`
  const inactive = sql`select ${users.id} from ${users} where ${isInactive}`
  const hasRole = role !== undefined && role !== 'user'
  const [isInactiveCrowded, isRoleCrowded, ...areCrowded] = await crowdedOf(db, [
    isActive === false && inactive,
    hasRole && holders,
    // A range of no more ids needs no look.
    ...ranges.map((range) => !(range.by === 'id' && idsIn(range) <= MANY) && usersIn(db, range)),
  ])
  const filters: Filter[] = []
  if (names)
    filters.push(
      namesFilter(
        db,
        ranges.map((range, at) => [range, areCrowded[at]!]),
        filter,
      ),
    )
  if (isActive === false)
    filters.push({
      isCrowded: isInactiveCrowded!,
      // The index of deactivated users has the order of ids.
      seek: () => (order.by === 'id' ? isInactive : inArray(users.id, sql`(${inactive})`)),
      test: isInactive,
      isOrdered: order.by === 'id',
    })
  if (hasRole) {
    const isHolder = sql`exists (select 1 from ${userRoles} where ${userRoles.userId} = ${users.id} and ${userRoles.role} = ${role})`
    filters.push({ isCrowded: isRoleCrowded!, seek: () => inArray(users.id, sql`(${holders})`), test: isHolder })
  }
  return filters
}

function namesFilter(db: Db, ranges: readonly [Range, boolean][], { order, after, limit }: Part): Filter {
  const crowded = ranges.filter(([, isCrowded]) => isCrowded)
  const all = ranges.map(([range]) => range)
  return {
    ofText: true,
    isCrowded: crowded.length > 0,
    isOrdered: crowded.every(([{ by }]) => by === order.by),
    seek(condition) {
      const ids = ranges.map(([range, isCrowded]) =>
        isCrowded ? firstIn(db, range, { order, after, limit, condition }) : usersIn(db, range),
      )
      return inArray(db.t.users.id, sql`(${sql.join(ids, sql` union all `)})`)
    },
    test: isInAny(db, all),
  }
}

const idsIn = ({ from, below }: Range): number => Number(below) - Number(from)

/** For each query, whether it finds more than `MANY` users. All are counted by one statement; `false` is not. */
async function crowdedOf(db: Db, queries: readonly (SQL | false)[]): Promise<boolean[]> {
  const counts = queries.flatMap((query, at) => (query ? [[`c${at}`, countOf(query, MANY + 1)] as const] : []))
  if (counts.length === 0) return queries.map(() => false)
  const [row = {}] = await db.q.select(Object.fromEntries(counts)).from(sql`(select 1 as one) as single`)
  return queries.map((_, at) => (row[`c${at}`] ?? 0) > MANY)
}

/** True when the users at the beginning of a part of a list fill it. */
async function isSoonFull(db: Db, { order, after, limit }: Part, condition: SQL | undefined): Promise<boolean> {
  const { users } = db.t
  const behind = after && isBehind(db, order, after, 'indexed')
  const terms = sql.join(termsOf(db, order, 'indexed'), sql`, `)
  const columns = sql.join(
    [users.id, users.emailKey, users.usernameKey, users.isActive].map((column) => sql`${column}`),
    sql`, `,
  )
  const first = sql`select ${columns} from ${users} where ${behind ?? sql`1 = 1`} order by ${terms} limit ${near(order)}`
  const full = sql`select ${users.id} from (${first}) as ${users} where ${condition}`
  const [row] = await db.q.select({ found: countOf(full, limit) }).from(sql`(select 1 as one) as single`)
  return row!.found >= limit
}

const countOf = (query: SQL, most: number) =>
  sql<number>`(select count(*) from (${query} limit ${most}) as counted)`.mapWith(Number)
