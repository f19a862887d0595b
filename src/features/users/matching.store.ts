import { and, or, type SQL, sql } from 'drizzle-orm'
import type { Db } from '../../storage/store.ts'
import { isBehind, termsOf, type UserMark, type UserOrder } from './order.store.ts'

/** What a text may be the beginning of: the keys of users, and their ids in decimal digits. */
export interface Beginning {
  emailKey: string
  /** Empty when no username begins with the text. */
  usernameKey: string
  ids: readonly IdRange[]
}

/** The ids from `first` to `last`. */
export interface IdRange {
  first: number
  last: number
}

/** A page of a list. */
export interface Part {
  order: UserOrder
  after?: UserMark | undefined
  limit: number
}

/** Values of a column from `from` up to, but not including, `below`. */
export interface Range {
  by: 'id' | 'email' | 'username'
  from: number | string
  below: number | string
}

export function rangesOf({ emailKey, usernameKey, ids }: Beginning): Range[] {
  return [
    { by: 'email', from: emailKey, below: endOf(emailKey) },
    ...(usernameKey === '' ? [] : [{ by: 'username', from: usernameKey, below: endOf(usernameKey) } satisfies Range]),
    ...ids.map(({ first, last }): Range => ({ by: 'id', from: first, below: last + 1 })),
  ]
}

/** A text above every text that begins with `key`. The code point U+10FFFF is the highest, and no name has it. */
const endOf = (key: string): string => `${key}\u{10FFFF}`

/** Users in the range, by its index. */
export const usersIn = ({ t: { users } }: Db, range: Range): SQL =>
  sql`select ${users.id} from ${users} where ${isIn(columnOf({ users }, range), range)}`

/** The condition for users in any of the ranges, without an index. */
export const isInAny = (db: Db, ranges: readonly Range[]): SQL =>
  or(
    ...ranges.map((range) => {
      const column = columnOf(db.t, range)
      return isIn(range.by === 'id' ? sql`(${column} + 0)` : sql`(${column} || '')`, range)
    }),
  )!

/**
 * The first users of the range that belong to a part of a list and meet a condition. With the order of the range's
 * column only these are read; else all of the range are read and sorted.
 */
export function firstIn(
  db: Db,
  range: Range,
  { order, after, limit, condition }: Part & { condition: SQL | undefined },
) {
  const { users } = db.t
  const column = columnOf(db.t, range)
  const isAlong = range.by === order.by
  const where = isAlong
    ? isIn(column, range, after && { key: after.key, descending: order.descending })
    : and(isIn(column, range), after && isBehind(db, order, after, 'sorted'))
  const terms = termsOf(db, order, isAlong ? 'indexed' : 'sorted')
  const rows = sql`select ${users.id} from ${users} where ${and(where, condition)} order by ${sql.join(terms, sql`, `)} limit ${limit}`
  return sql`select id from (${rows}) as firsts`
}

/**
 * The condition for values of a range, and behind a place. It has one lower and one upper bound: with two lower ones,
 * SQLite may begin to read at the wrong one, so each page would read all pages before it.
 */
function isIn(column: SQL, { from, below }: Range, place?: { key: number | string; descending: boolean }): SQL {
  if (place?.descending && compare(place.key, below) < 0) return sql`${column} >= ${from} and ${column} < ${place.key}`
  if (place?.descending === false && compare(place.key, from) >= 0)
    return sql`${column} > ${place.key} and ${column} < ${below}`
  return sql`${column} >= ${from} and ${column} < ${below}`
}

const columnOf = ({ users }: Pick<Db['t'], 'users'>, { by }: Range): SQL =>
  by === 'id' ? sql`${users.id}` : by === 'email' ? sql`${users.emailKey}` : sql`${users.usernameKey}`

/** Compares as the indexes do, texts by their bytes in UTF-8. */
const compare = (one: number | string, other: number | string): number =>
  typeof one === 'number' && typeof other === 'number'
    ? one - other
    : Buffer.compare(Buffer.from(String(one)), Buffer.from(String(other)))
