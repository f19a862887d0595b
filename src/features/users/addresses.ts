import { KeywardError } from '../../errors.ts'
import type { EpochMs } from '../../lib/clock.ts'
import { violatedUnique } from '../../storage/conflicts.ts'
import * as store from './addresses.store.ts'
import { findByName } from './find.ts'
import { findById } from './store.ts'
import type { User } from './user.ts'
import type { UsersNeeds } from './users.ts'

/*
 * The former address of a user stays reserved for some days, so that its owner can undo the change. A transaction that
 * gives an address to a user first writes the address to `users`, and then checks that nobody has reserved it. While
 * another transaction gives up the address, the unique index makes the write wait. The check then sees the reservation
 * of the other transaction. A check before the write would not see it.
 */

/** An address as `normalizeEmail` returns it. */
interface NewEmail {
  id: number
  email: string
  emailKey: string
}

export async function changeEmail(
  { store: db, clock }: UsersNeeds,
  { id, email, emailKey }: NewEmail,
  { reservedUntil }: { reservedUntil: EpochMs },
): Promise<string | undefined> {
  const now = clock.now()
  const former = await store.lock(db, { id, now })
  if (!former || former.emailKey === emailKey) return undefined
  await setEmail({ store: db }, { id, email, emailKey, now })
  if (await store.isReserved(db, { emailKeys: [emailKey], except: id, now })) throw new KeywardError('email_taken')
  await store.takeBack(db, { id, emailKey, now })
  const { email: was, emailKey: wasKey, sessionEpoch: epoch } = former
  await store.reserve(db, { emailKey: wasKey, email: was, userId: id, epoch, reservedUntil })
  return was
}

export async function restoreEmail(
  { store: db, clock }: UsersNeeds,
  { id, emailKey }: { id: number; emailKey: string },
): Promise<string | undefined> {
  const now = clock.now()
  // The lock waits for a concurrent undo of the same user. `takeBack` then sees whether that undo has ended the
  // reservation.
  const reserved = (await store.lock(db, { id, now })) && (await store.takeBack(db, { id, emailKey, now }))
  if (!reserved) return undefined
  await setEmail({ store: db }, { id, email: reserved.email, emailKey, now })
  await store.freeSince(db, { id, epoch: reserved.epoch })
  return reserved.email
}

/** @throws KeywardError `email_taken` */
async function setEmail({ store: db }: Pick<UsersNeeds, 'store'>, change: NewEmail & { now: EpochMs }): Promise<void> {
  try {
    await store.setEmail(db, change)
  } catch (error) {
    if (violatedUnique(error) === 'users.email_key') throw new KeywardError('email_taken')
    throw error
  }
}

export async function findAddressOwner(
  needs: UsersNeeds,
  emailKey: string,
): Promise<{ user: User; email: string } | undefined> {
  const { store: db, clock } = needs
  const holder = await findByName(needs, emailKey)
  if (holder) return { user: holder, email: holder.email }
  const reservation = await store.findReservation(db, { emailKey, now: clock.now() })
  const user = reservation && (await findById(db, reservation.userId))
  return user && { user, email: reservation.email }
}
