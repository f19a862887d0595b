import type { Administration } from '../features/administration/administration.ts'
import type { User } from '../features/users/users.ts'
import { readId } from '../lib/id.ts'
import { optionalPositional, positional } from './arguments.ts'

const description = 'Username, email address, or id:N'

/** The argument that names a user. */
export const userArg = positional('USER', description)

export const optionalUserArg = optionalPositional('USER', description)

/** Returns N of `id:N`; undefined for another text. A username can consist of digits, so a bare number is a username. */
export const idOf = (typed: string): number | undefined =>
  typed.startsWith('id:') ? readId(typed.slice('id:'.length)) : undefined

/**
 * Finds the user that an argument names.
 * @throws KeywardError `user_not_found`
 */
export function findUser(administration: Administration, typed: string): Promise<User> {
  const id = idOf(typed)
  return id === undefined ? administration.requireUser(typed) : administration.findUser(String(id))
}
