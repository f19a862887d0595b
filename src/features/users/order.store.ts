import { type SQL, sql } from 'drizzle-orm'
import type { Db } from '../../storage/store.ts'

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

/** `indexed` reads an index in its order; `sorted` hides the index from both databases, which then sort. */
type Means = 'indexed' | 'sorted'

/** The terms of an ORDER BY. */
export const termsOf = (db: Db, { by, descending }: UserOrder, means: Means): SQL[] =>
  columnsOf(db, by, means).map((column) => (descending ? sql`${column} desc` : sql`${column} asc`))

/** The condition for users behind a place. */
export function isBehind(db: Db, { by, descending }: UserOrder, { key, id }: UserMark, means: Means): SQL {
  const than = descending ? sql`<` : sql`>`
  const columns = columnsOf(db, by, means)
  if (by === 'created_at') return sql`(${sql.join(columns, sql`, `)}) ${than} (${key}, ${id})`
  return sql`${columns[0]} ${than} ${key}`
}

/** The columns of an order, which together differ for any two users. Each order has an index. */
export function columnsOf({ t: { users } }: Db, by: UserOrder['by'], means: Means): SQL[] {
  const isSorted = means === 'sorted'
  const id = isSorted ? sql`(${users.id} + 0)` : sql`${users.id}`
  switch (by) {
    case 'id':
      return [id]
    case 'created_at':
      return [isSorted ? sql`(${users.createdAt} + 0)` : sql`${users.createdAt}`, id]
    case 'email':
      return [isSorted ? sql`(${users.emailKey} || '')` : sql`${users.emailKey}`]
    case 'username':
      return [isSorted ? sql`(${users.usernameKey} || '')` : sql`${users.usernameKey}`]
  }
}
