import { KeywardError } from '../../errors.ts'
import { readId } from '../../lib/id.ts'
import type { AuditFilter, AuditRow } from '../audit/audit.ts'
import { markOf, type User, type UserMark, type UserOrder } from '../users/users.ts'
import type { AdministrationNeeds } from './administration.ts'

/** A part of a list, and the mark from which the next part continues; undefined on the last page. */
export interface Page<Item, Mark = number> {
  items: Item[]
  next: Mark | undefined
}

export interface UserSearch {
  q?: string
  role?: string
  isActive?: boolean
  externalId?: string
  order: UserOrder
  /** Undefined for the first page. */
  after?: UserMark
  limit: number
}

/** Reads one item more than the page has, to learn whether there is a next page. `markOf` is for the last item. */
export async function pageOf<Item, Mark>(
  limit: number,
  read: (limit: number) => Promise<Item[]>,
  markOf: (item: Item) => Mark,
): Promise<Page<Item, Mark>> {
  const found = await read(limit + 1)
  const items = found.slice(0, limit)
  const last = items.at(-1)
  return { items, next: found.length > limit && last !== undefined ? markOf(last) : undefined }
}

const idOf = ({ id }: { id: number }): number => id

export const listUsers = ({ users }: AdministrationNeeds, search: UserSearch): Promise<Page<User, UserMark>> =>
  pageOf(
    search.limit,
    (limit) => users.search({ ...search, limit }),
    (last) => markOf(last, search.order.by),
  )

export const listAudit = ({ audit }: AdministrationNeeds, filter: AuditFilter): Promise<Page<AuditRow>> =>
  pageOf(filter.limit, (limit) => audit.list({ ...filter, limit }), idOf)

/**
 * Finds a user by the id of a path.
 * @throws KeywardError `user_not_found`, also for a text that is no id
 */
export async function findUser({ users }: Pick<AdministrationNeeds, 'users'>, id: string): Promise<User> {
  const known = readId(id)
  const user = known === undefined ? undefined : await users.find(known)
  if (!user) throw new KeywardError('user_not_found')
  return user
}
