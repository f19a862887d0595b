import { KeywardError } from '../../errors.ts'
import { roleNames, type User } from '../users/users.ts'
import { ADMIN } from './permissions.ts'
import type { RolesNeeds } from './roles.ts'
import * as store from './store.ts'

export async function keepAnAdmin({ store: db, users }: RolesNeeds, userId: number): Promise<User | undefined> {
  await store.lockRole(db, ADMIN)
  // Read after the wait for the lock, so that it shows what the change before this one did.
  const user = await users.find(userId)
  if (!user?.isActive || !roleNames(user).includes(ADMIN)) return user
  if ((await store.countOtherHolders(db, { role: ADMIN, userId })) === 0) throw new KeywardError('last_admin')
  return user
}
