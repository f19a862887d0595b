import type { Locale } from '../../lib/locale.ts'
import type { User } from '../users/users.ts'
import type { AccountsNeeds } from './accounts.ts'
import { readNames } from './register.ts'

/** An account that an administrator makes. */
export interface NewAccount {
  email: string
  username: string
  /** Undefined for an account whose owner is invited, and chooses the password with the invitation. */
  password?: string | undefined
  /** The name of the person, as typed; undefined when it is not known. */
  name?: string | undefined
  /** The language of mails to the user and of pages; null when it is not known. */
  locale?: Locale | null
  /** The administrator of the request; undefined for a command. */
  by?: { actorId: number; ip: string }
}

/** Implements `Accounts.create`. */
export async function createAccount(
  needs: AccountsNeeds,
  account: NewAccount,
  alongside: (user: User) => Promise<void>,
): Promise<User> {
  const { clock, audit, users, passwords } = needs
  const { password, locale = null, by } = account
  const names = readNames(needs, account, true)
  await users.checkFree(names)
  const own =
    password === undefined
      ? { passwordHash: null, passwordScheme: null, invitation: { at: clock.now(), by: by?.actorId ?? null } }
      : await hashed(passwords.hash(password))
  const { id } = await users.create({ ...names, ...own, locale }, async (user) => {
    await audit.record({ event: 'user.created', userId: user.id, ...by })
    await alongside(user)
  })
  // The user is read again, because `create` returns the user as read before `alongside` granted roles.
  return (await users.find(id))!
}

async function hashed(hash: Promise<{ hash: string; scheme: string }>) {
  const { hash: passwordHash, scheme: passwordScheme } = await hash
  return { passwordHash, passwordScheme }
}
