import type { Deps } from '../../deps.ts'
import { clientPrefix } from '../../lib/ip.ts'
import * as store from './store.ts'

/** Whether this user has logged in from this network before, as far as sessions remember. */
export async function hasSessionFrom(
  deps: Pick<Deps, 'store'>,
  { userId, client }: { userId: number; client: string },
): Promise<boolean> {
  const addresses = await store.addressesOf(deps.store, userId)
  return addresses.some((ip) => clientPrefix(ip) === client)
}
