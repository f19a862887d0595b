import { invalidField, KeywardError } from '../../errors.ts'
import type { User } from '../users/users.ts'
import type { AdministrationNeeds } from './administration.ts'

export interface NewAccount {
  email: string
  username: string
  password: string
  /** The account gets the role `admin`. */
  admin: boolean
}

export async function createUser({ accounts, users }: AdministrationNeeds, account: NewAccount): Promise<User> {
  const { id } = await accounts.register({ ...account, byAdmin: true })
  // Read again: the role is granted after the user is inserted.
  return (await users.find(id))!
}

export async function requireUser({ users }: AdministrationNeeds, typed: string): Promise<User> {
  const user = await users.findByName(typed)
  if (!user) throw new KeywardError('user_not_found')
  return user
}

export async function setPassword(
  { store: db, audit, users, passwords, sessions }: AdministrationNeeds,
  user: User,
  password: string,
): Promise<void> {
  const weakness = passwords.weaknessOf(password, user)
  if (weakness) throw invalidField('password', weakness)
  const { id } = user
  const { hash, scheme } = await passwords.hash(password)
  await db.transaction(async () => {
    if (!(await users.setPassword({ id, hash, scheme }))) throw new KeywardError('user_not_found')
    await sessions.endAll({ userId: id, reason: 'password_set_by_admin' })
    await audit.record({ event: 'password.set_by_admin', userId: id })
  })
}
