import { KeywardError } from '../../errors.ts'
import { violatedUnique } from '../../storage/conflicts.ts'
import { exchangeNames } from './reserved-names.ts'
import * as store from './store.ts'
import type { Profile, User } from './user.ts'
import { usernameKey } from './username.ts'
import type { UsersNeeds } from './users.ts'

/** The names of the members of `wanted` that differ from the user's present values. */
export const differences = (user: User, { username, name, locale }: Profile): (keyof Profile)[] => [
  ...(username !== undefined && username.username !== user.username ? (['username'] as const) : []),
  ...(name !== undefined && name !== user.name ? (['name'] as const) : []),
  ...(locale !== undefined && locale !== user.locale ? (['locale'] as const) : []),
]

export async function changeProfile(
  needs: UsersNeeds,
  { id, epoch }: { id: number; epoch?: number },
  wanted: Profile,
  alongside: (changed: readonly (keyof Profile)[]) => Promise<void>,
): Promise<User | undefined> {
  const { store: db, clock } = needs
  try {
    return await db.transaction(
      async () => {
        // The user is read after the lock: another request may just have changed the same members.
        const isHeld = await (epoch === undefined ? store.hold(db, id) : store.holdForSession(db, { id, epoch }))
        const user = isHeld ? await store.findById(db, id) : undefined
        if (!user) return undefined
        const changed = differences(user, wanted)
        if (changed.length === 0) return user
        const [from, to] = [usernameKey(user.username), wanted.username?.usernameKey]
        await store.changeProfile(db, { id, ...wanted, now: clock.now() })
        // `exchangeNames` comes after the update. The update waits while another transaction gives up this username,
        // and `exchangeNames` then sees the reservation of that transaction.
        if (to !== undefined && to !== from) await exchangeNames(needs, { id, from, to })
        await alongside(changed)
        return store.findById(db, id)
      },
      { userId: id },
    )
  } catch (error) {
    if (violatedUnique(error) === 'users.username_key') throw new KeywardError('username_taken')
    throw error
  }
}
