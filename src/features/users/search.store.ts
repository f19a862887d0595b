import { and, eq, inArray, type SQL, sql } from 'drizzle-orm'
import type { Db } from '../../storage/store.ts'
import { userColumns } from '../../storage/tables/users.ts'
import { type Beginning, firstIn, isInAny, type Part, type Range, rangesOf, usersIn } from './matching.store.ts'
import { columnsOf, isBehind, termsOf, type UserOrder } from './order.store.ts'
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
  const { isActive, externalId } = filter
  const { users } = db.t
  const always = and(
    isActive === true ? eq(users.isActive, true) : undefined,
    externalId === undefined ? undefined : eq(users.externalId, externalId),
  )
  const filters = await filtersOf(db, filter)
  const few = filters.filter(({ isCrowded }) => !isCrowded)
  // Those that need no sorting come first.
  const crowded = filters
    .filter(({ isCrowded }) => isCrowded)
    .sort((one, other) => Number(other.isOrdered === true) - Number(one.isOrdered === true))
  const tests = and(...crowded.map(({ test }) => test))
  const isList = (found: readonly Filter[]) => found.some(({ ofText }) => ofText)
  if (few.length > 0)
    return read(db, filter, {
      condition: and(always, ...few.map(({ seek }) => seek(undefined)), tests),
      isList: isList(few),
    })
  const [first, ...others] = crowded
  if (first === undefined || externalId !== undefined) return read(db, filter, { condition: and(always, tests) })
  if (!first.isOrdered) {
    const page = await read(db, filter, { condition: and(always, tests, await isNear(db, filter)) })
    if (page.length === filter.limit) return page
  }
  const seek = first.seek(and(always, ...others.map(({ test }) => test)))
  return read(db, filter, { condition: and(always, seek), isList: isList([first]) })
}

/**
 * Reads a page of the users who meet a condition.
 * @param found.isList true when the condition lists the ids of a text's users, which indexes find
 */
function read(
  db: Db,
  { order, after, limit }: Part,
  { condition, isList = false }: { condition: SQL | undefined; isList?: boolean },
): Promise<User[]> {
  // PostgreSQL would otherwise read all users in the order, and look each up in the list.
  const means = isList && db.dialect === 'postgresql' ? 'sorted' : 'indexed'
  return db.q
    .select(userColumns(db))
    .from(db.t.users)
    .where(and(after && isBehind(db, order, after, means), condition))
    .orderBy(...termsOf(db, order, means))
    .limit(limit)
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

/** The condition for the users at the beginning of a part of a list. @returns undefined when the part is short */
async function isNear(db: Db, { order, after }: Part): Promise<SQL | undefined> {
  const { users } = db.t
  const [column] = columnsOf(db, order.by, 'indexed')
  const [last] = await db.q
    .select({ key: sql<number | string>`${column}` })
    .from(users)
    .where(after && isBehind(db, order, after, 'indexed'))
    .orderBy(...termsOf(db, order, 'indexed'))
    .limit(1)
    .offset(near(order))
  return last && (order.descending ? sql`${column} >= ${last.key}` : sql`${column} <= ${last.key}`)
}

const countOf = (query: SQL, most: number) =>
  sql<number>`(select count(*) from (${query} limit ${most}) as counted)`.mapWith(Number)
