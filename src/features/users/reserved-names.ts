import { toBase64Url } from '../../lib/encoding.ts'
import { hmacSha256 } from '../../lib/hash.ts'
import * as store from './store.ts'
import { normalizeImportedUsername } from './username.ts'
import type { UsersNeeds } from './users.ts'

/*
 * The username of a deleted user stays reserved. Otherwise somebody could register the name, and a service that knows
 * users by their names would take the new user for the deleted one. Only a MAC of the name is stored.
 */

/** Deletes a user and reserves the username, in the caller's transaction if there is one, else in a new transaction. */
export const remove = (needs: UsersNeeds, id: number): Promise<void> =>
  needs.store.transaction(async () => {
    const usernameKey = await store.remove(needs.store, id)
    if (usernameKey === undefined) return
    const [mac] = macsOf(needs, usernameKey)
    await store.reserveName(needs.store, { mac: mac!, reservedAt: needs.clock.now() })
  })

/** True when the username is reserved, because a deleted user had it. */
export const isReserved = (needs: UsersNeeds, usernameKey: string): Promise<boolean> =>
  store.isReserved(needs.store, macsOf(needs, usernameKey))

export async function freeName(needs: UsersNeeds, typed: string): Promise<boolean> {
  const name = normalizeImportedUsername(typed)
  return name !== undefined && store.freeName(needs.store, macsOf(needs, name.usernameKey))
}

const macsOf = ({ macKeys }: UsersNeeds, usernameKey: string): string[] =>
  macKeys().map((key) => toBase64Url(hmacSha256(key, usernameKey)))
