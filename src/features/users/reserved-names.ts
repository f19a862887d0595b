import { invalidField, KeywardError } from '../../errors.ts'
import { toBase64Url } from '../../lib/encoding.ts'
import { hmacSha256 } from '../../lib/hash.ts'
import * as store from './store.ts'
import { normalizeImportedUsername } from './username.ts'
import type { UsersNeeds } from './users.ts'

/*
 * Two kinds of usernames stay reserved: the username of a deleted user, and a username that its user has changed.
 * Otherwise a new user could take such a name, and a service that knows users by their names would confuse the two
 * users. Only a MAC of the name is stored. A user may go back to a former username of their own.
 */

/** Deletes a user and reserves the username, in the caller's transaction if there is one, else in a new transaction. */
export const remove = (needs: UsersNeeds, id: number): Promise<void> =>
  needs.store.transaction(async () => {
    const usernameKey = await store.remove(needs.store, id)
    if (usernameKey === undefined) return
    const [mac] = macsOf(needs, usernameKey)
    await store.reserveName(needs.store, { mac: mac!, reservedAt: needs.clock.now(), userId: null })
    await store.disownNames(needs.store, id)
  })

/** The most former usernames of one user. Without a maximum, one account could reserve a dictionary of names. */
const MAX_FORMER = 10

/**
 * Ends the reservation of the new username `to`, if there is one, and reserves the old username `from` for the user.
 * Call this function in the transaction that changes the username.
 * @throws KeywardError `username_taken` when `to` is reserved for somebody else; `validation_failed` when the user has
 *   too many former usernames
 */
export async function exchangeNames(
  needs: UsersNeeds,
  { id, from, to }: { id: number; from: string; to: string },
): Promise<void> {
  const { store: db, clock } = needs
  const macs = macsOf(needs, to)
  if (await store.isReserved(db, { macs, except: id })) throw new KeywardError('username_taken')
  await store.freeName(db, macs)
  if ((await store.formerNames(db, id)).length >= MAX_FORMER) throw invalidField('username', tooManyNames)
  const [mac] = macsOf(needs, from)
  await store.reserveName(db, { mac: mac!, reservedAt: clock.now(), userId: id })
}

const tooManyNames = `You have had ${MAX_FORMER} other usernames, which stay reserved for you: take one of these`

/** True when the username is reserved, because another user had it. */
export const isReserved = (needs: UsersNeeds, usernameKey: string): Promise<boolean> =>
  store.isReserved(needs.store, { macs: macsOf(needs, usernameKey), except: undefined })

export async function freeName(needs: UsersNeeds, typed: string): Promise<boolean> {
  const name = normalizeImportedUsername(typed)
  return name !== undefined && store.freeName(needs.store, macsOf(needs, name.usernameKey))
}

const macsOf = ({ macKeys }: UsersNeeds, usernameKey: string): string[] =>
  macKeys().map((key) => toBase64Url(hmacSha256(key, usernameKey)))
