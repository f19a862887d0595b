import { KeywardError } from '../../errors.ts'
import type { Deps } from '../../service.ts'
import { violatedUnique } from '../../storage/conflicts.ts'
import * as store from './store.ts'
import type { User } from './user.ts'

/**
 * Adds an account, and what `alongside` writes, in one transaction. The database decides who is first: of two at once
 * with one name exactly one wins.
 * @throws KeywardError `email_taken` (also when both are), `username_taken`
 */
export async function createUser(
  deps: Pick<Deps, 'store' | 'clock'>,
  user: Omit<store.NewUser, 'now'>,
  alongside: (user: User) => Promise<void>,
): Promise<User> {
  try {
    return await deps.store.transaction(async () => {
      const created = await store.insert(deps.store, { ...user, now: deps.clock.now() })
      await alongside(created)
      return created
    })
  } catch (error) {
    const column = violatedUnique(error)
    if (column === undefined) throw error
    await checkFree(deps, user)
    throw new KeywardError(column === 'users.email_key' ? 'email_taken' : 'username_taken')
  }
}

/**
 * Refuses names that are taken already, so that nobody waits for a hash in vain; `createUser` decides.
 * @throws KeywardError `email_taken`, `username_taken`
 */
export async function checkFree(
  deps: Pick<Deps, 'store'>,
  { emailKey, usernameKey }: { emailKey: string; usernameKey: string },
): Promise<void> {
  // The name is read first: an account that comes between the two reads and takes both is then `email_taken` too.
  const named = await store.findCredentials(deps.store, { usernameKey })
  if (await store.findCredentials(deps.store, { emailKey })) throw new KeywardError('email_taken')
  if (named) throw new KeywardError('username_taken')
}
