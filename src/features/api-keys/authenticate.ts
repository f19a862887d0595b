import { KeywardError } from '../../errors.ts'
import { MINUTE } from '../../lib/clock.ts'
import { isPermission } from '../roles/roles.ts'
import type { ApiKeyCaller, ApiKeysNeeds } from './api-keys.ts'
import { isWellFormed } from './key-text.ts'
import * as store from './store.ts'

/** The shortest time between two updates of `last_used_at`. It avoids a database write in most requests. */
const TOUCH_EVERY = MINUTE

export async function authenticate(
  { store: db, clock, roles, macs: macsOf }: ApiKeysNeeds,
  text: string,
): Promise<ApiKeyCaller> {
  if (!isWellFormed(text)) throw new KeywardError('invalid_token')
  const now = clock.now()
  const macs = macsOf(text)
  for (const mac of macs) {
    const key = await store.findLive(db, { mac, now })
    if (!key) continue
    // A MAC of a former data key is replaced at once. Every process has read the current data key at its start.
    if (mac !== macs[0] || now - (key.lastUsedAt ?? 0) >= TOUCH_EVERY)
      await store.touch(db, { id: key.id, mac: macs[0], lastUsedAt: now })
    const held = await roles.permissionsOf(key.owner)
    const scopes = key.scopes.split(' ').filter(isPermission)
    const permissions = new Set(scopes.filter((scope) => held.has(scope)))
    return { kind: 'api_key', userId: key.owner.id, user: key.owner, permissions }
  }
  throw new KeywardError('invalid_token')
}
