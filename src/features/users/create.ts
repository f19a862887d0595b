import { type ErrorCode, KeywardError } from '../../errors.ts'
import { violatedUnique } from '../../storage/conflicts.ts'
import { isReserved as isReservedAddress } from './addresses.store.ts'
import { isReserved } from './reserved-names.ts'
import * as store from './store.ts'
import type { NewUser, User } from './user.ts'
import type { UsersNeeds } from './users.ts'

/** The error for each unique index of names. A violation of another index or of a primary key is a defect. */
const taken: Partial<Record<string, ErrorCode>> = {
  'users.email_key': 'email_taken',
  'users.username_key': 'username_taken',
}

export async function create(
  needs: UsersNeeds,
  user: NewUser,
  alongside: (user: User) => Promise<void>,
): Promise<User> {
  const { store: db, clock } = needs
  try {
    return await db.transaction(async () => {
      const created = await store.insert(db, { ...user, now: clock.now() })
      // The insert waits while another transaction gives up this name or address and reserves it. A check before the
      // insert would not see the reservation.
      if (await isReservedAddress(db, { emailKeys: [user.emailKey], now: clock.now() }))
        throw new KeywardError('email_taken')
      if (await isReserved(needs, user.usernameKey)) throw new KeywardError('username_taken')
      await alongside(created)
      return created
    })
  } catch (error) {
    const code = taken[violatedUnique(error) ?? '']
    if (code === undefined) throw error
    await checkFree(needs, user)
    // `checkFree` has thrown no error, because the user who had the name or address was deleted after the failed
    // insert.
    throw new KeywardError(code)
  }
}

export async function checkUsernameFree(needs: UsersNeeds, usernameKey: string): Promise<void> {
  if ((await store.findCredentials(needs.store, { usernameKey })) || (await isReserved(needs, usernameKey)))
    throw new KeywardError('username_taken')
}

export async function checkFree(
  needs: UsersNeeds,
  { emailKey, usernameKey }: Pick<NewUser, 'emailKey' | 'usernameKey'>,
): Promise<void> {
  const { store: db, clock } = needs
  // The username is read before the address. If another request adds a user with this username and this address between
  // the two reads, the error is `email_taken`, as it is when that user existed before.
  const named = await store.findCredentials(db, { usernameKey })
  const isTaken =
    (await store.findCredentials(db, { emailKey })) ||
    (await isReservedAddress(db, { emailKeys: [emailKey], now: clock.now() }))
  if (isTaken) throw new KeywardError('email_taken')
  if (named || (await isReserved(needs, usernameKey))) throw new KeywardError('username_taken')
}
