import { KeywardError } from '../../errors.ts'
import type { AuditFilter, AuditRow } from '../audit/audit.ts'
import type { User } from '../users/users.ts'
import type { AdministrationNeeds } from './administration.ts'

/** A part of a list, and the id from which the next part continues; undefined on the last page. */
export interface Page<Item> {
  items: Item[]
  next: number | undefined
}

export interface UserSearch {
  q?: string
  role?: string
  isActive?: boolean
  externalId?: string
  after: number
  limit: number
}

/** Reads one item more than the page has, to learn whether there is a next page. */
async function pageOf<Item extends { id: number }>(
  limit: number,
  read: (limit: number) => Promise<Item[]>,
): Promise<Page<Item>> {
  const found = await read(limit + 1)
  const items = found.slice(0, limit)
  return { items, next: found.length > limit ? items.at(-1)?.id : undefined }
}

export const listUsers = ({ users }: AdministrationNeeds, search: UserSearch): Promise<Page<User>> =>
  pageOf(search.limit, (limit) => users.search({ ...search, limit }))

export const listAudit = ({ audit }: AdministrationNeeds, filter: AuditFilter): Promise<Page<AuditRow>> =>
  pageOf(filter.limit, (limit) => audit.list({ ...filter, limit }))

/**
 * Finds a user by the id of a path.
 * @throws KeywardError `user_not_found`, also for a text that is no id
 */
export async function findUser({ users }: Pick<AdministrationNeeds, 'users'>, id: string): Promise<User> {
  const user = /^[1-9]\d{0,14}$/.test(id) ? await users.find(Number(id)) : undefined
  if (!user) throw new KeywardError('user_not_found')
  return user
}
