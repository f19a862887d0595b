import * as store from './store.ts'
import type { User, UserCredentials } from './user.ts'
import { loginIdentifier, trimTyped } from './username.ts'
import type { UsersNeeds } from './users.ts'

/** The user for a typed name, with the name by which limits count. */
export interface NamedAccount {
  /** Undefined when no user has the name. */
  user: UserCredentials | undefined
  /** The key of the name, the same for all spellings. For a name that no account can have, it is the trimmed text. */
  name: string
}

export async function findAccount({ store: db }: UsersNeeds, typed: string): Promise<NamedAccount> {
  const by = loginIdentifier(typed)
  if (!by) return { user: undefined, name: trimTyped(typed) }
  return {
    user: await store.findCredentials(db, by),
    name: 'emailKey' in by ? by.emailKey : by.usernameKey,
  }
}

export async function findByName(needs: UsersNeeds, typed: string): Promise<User | undefined> {
  const { user: found } = await findAccount(needs, typed)
  if (!found) return undefined
  const { passwordHash: _hash, passwordScheme: _scheme, ...user } = found
  return user
}
