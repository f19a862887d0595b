import * as store from './store.ts'
import type { User, UserCredentials } from './user.ts'
import { loginIdentifier, trimTyped } from './username.ts'
import type { UsersNeeds } from './users.ts'

/** The user who has a typed username or address, and the key of the typed text for the rate limits. */
export interface NamedAccount {
  /** Undefined when no user has the name. */
  user: UserCredentials | undefined
  /**
   * The key of the address or username, which all spellings share. For a text that no account can have as a name, the
   * text without spaces and tabs at its ends.
   */
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
