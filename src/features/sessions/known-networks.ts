import { clientPrefix } from '../../lib/ip.ts'
import type { Deps } from '../../service.ts'
import * as store from './known-networks.store.ts'

/** Whether this user has logged in from this network before, as far as sessions remember. */
export async function hasSessionFrom(
  deps: Pick<Deps, 'store'>,
  { userId, client, ip }: { userId: number; client: string; ip: string },
): Promise<boolean> {
  // Mostly it is the very same address, which spares reading all of them.
  if (await store.isKnownAddress(deps.store, { userId, ip })) return true
  const addresses = await store.addressesOf(deps.store, userId)
  return addresses.some((ip) => clientPrefix(ip) === client)
}
