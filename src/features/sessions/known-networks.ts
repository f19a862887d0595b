import { clientPrefix } from '../../lib/ip.ts'
import * as store from './known-networks.store.ts'
import type { SessionsNeeds } from './sessions.ts'

export async function isKnownNetwork(
  { store: db }: SessionsNeeds,
  { userId, client, ip }: { userId: number; client: string; ip: string },
): Promise<boolean> {
  // Mostly it is the very same address, and one look-up is cheaper than reading all of them.
  if (await store.isKnownAddress(db, { userId, ip })) return true
  const addresses = await store.addressesOf(db, userId)
  return addresses.some((address) => clientPrefix(address) === client)
}
