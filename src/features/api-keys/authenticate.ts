import { KeywardError } from '../../errors.ts'
import { writeAside } from '../../storage/write-aside.ts'
import { isPermission } from '../roles/roles.ts'
import type { ApiKeyCaller, ApiKeysNeeds } from './api-keys.ts'
import { isWellFormed } from './key-text.ts'
import * as store from './store.ts'

export async function authenticate(
  { store: db, clock, log, roles, macs: macsOf, lastUses }: ApiKeysNeeds,
  text: string,
): Promise<ApiKeyCaller> {
  if (!isWellFormed(text)) throw new KeywardError('invalid_token')
  const now = clock.now()
  const macs = macsOf(text)
  // The current MAC is looked up a second time: another process may have replaced a former MAC between the look-ups.
  for (const mac of macs.length > 1 ? [...macs, macs[0]] : macs) {
    const key = await store.findLive(db, { mac, now })
    if (!key) continue
    // `touch` also replaces the MAC of a former data key by the MAC of the current data key. For an API key that still has a
    // former MAC, `null` makes `isDue` ignore the stored last use, so that `touch` replaces the MAC now.
    if (lastUses.isDue(key.id, mac === macs[0] ? key.lastUsedAt : null, now))
      writeAside(log, () => store.touch(db, { id: key.id, mac: macs[0], lastUsedAt: now }))
    const held = await roles.permissionsOf(key.owner)
    const scopes = key.scopes.split(' ').filter(isPermission)
    const permissions = new Set(scopes.filter((scope) => held.has(scope)))
    return { kind: 'api_key', userId: key.owner.id, user: key.owner, permissions }
  }
  throw new KeywardError('invalid_token')
}
