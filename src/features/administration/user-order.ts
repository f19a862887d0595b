import { invalidField } from '../../errors.ts'
import { readId } from '../../lib/id.ts'
import type { UserMark, UserOrder } from '../users/users.ts'

/** Reads the parameter `sort`, such as `-created_at`. */
export const orderOf = (sort: UserOrder['by'] | `-${UserOrder['by']}`): UserOrder => {
  const descending = sort.startsWith('-')
  return { by: (descending ? sort.slice(1) : sort) as UserOrder['by'], descending }
}

/**
 * Makes a cursor of the place of a user: the id, the time and the id, or the name in base64url. An id alone would not
 * do, because the user may be gone when the next page is read.
 */
export function toUserCursor({ key, id }: UserMark, { by }: UserOrder): string {
  if (by === 'id') return String(id)
  return by === 'created_at' ? `${key}.${id}` : Buffer.from(String(key)).toString('base64url')
}

/** @throws KeywardError `validation_failed` for a text that is no cursor of this order */
export function fromUserCursor(cursor: string, { by }: UserOrder): UserMark {
  const [time = '', idBehind = ''] = cursor.split('.')
  const id = readId(by === 'id' ? cursor : idBehind)
  if (by === 'id' && id !== undefined) return { key: id, id }
  if (by === 'created_at' && id !== undefined && timePattern.test(cursor)) return { key: Number(time), id }
  const name = Buffer.from(cursor, 'base64url').toString()
  const isName = Buffer.from(name).toString('base64url') === cursor && !/\p{Cc}/u.test(name)
  if ((by === 'email' || by === 'username') && isName) return { key: name, id: 0 }
  throw invalidField('cursor', 'This is not the "next_cursor" of a page with the same "sort"')
}

const timePattern = /^\d{1,15}\.\d+$/
