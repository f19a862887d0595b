import { KeywardError } from '../../errors.ts'
import { writeAside } from '../../storage/write-aside.ts'
import type { Client } from './client.ts'
import { isClientId } from './client.ts'
import type { ClientsNeeds, SentClient } from './clients.ts'
import { isWellFormed, secretMacs } from './secret-text.ts'
import * as store from './store.ts'

/**
 * See `Clients.authenticate`. The secret is checked before the limit, and only a wrong secret takes a place, so a
 * stranger who guesses does not stop the client.
 */
export async function authenticate(needs: ClientsNeeds, sent: SentClient): Promise<Client> {
  const { store: db, limits } = needs
  const { id, secret, client: network, ip } = sent
  const client = isClientId(id) ? await store.find(db, id) : undefined
  if (client?.isPublic || secret === undefined) {
    if (client?.isPublic && secret === undefined && client.isEnabled) return client
    throw new KeywardError('invalid_client')
  }
  if (client && (await isRight(needs, client, secret))) {
    if (client.isEnabled) return client
    throw new KeywardError('invalid_client')
  }
  // The id of an unknown client is not part of the key: a stranger could make any number of buckets.
  const place = await limits.reserve([{ rule: 'client.secret', key: client ? `${id}@${network}` : network }], { ip })
  place.keep()
  throw new KeywardError('invalid_client')
}

async function isRight(
  { store: db, clock, log, secrets, lastUses }: ClientsNeeds,
  client: Client,
  text: string,
): Promise<boolean> {
  if (!isWellFormed(text)) return false
  const now = clock.now()
  const macs = secretMacs(secrets.macKeys('client_secret'), text)
  // The current MAC is looked up a second time: another process may have replaced a former MAC between the look-ups.
  for (const mac of macs.length > 1 ? [...macs, macs[0]] : macs) {
    const secret = await store.findLiveSecret(db, { clientId: client.id, mac, now })
    if (!secret) continue
    // `touchSecret` also replaces the MAC of a former data key. `null` makes `isDue` ignore the stored last use then.
    if (lastUses.isDue(secret.id, mac === macs[0] ? secret.lastUsedAt : null, now))
      writeAside(log, () => store.touchSecret(db, { id: secret.id, mac: macs[0], lastUsedAt: now }))
    return true
  }
  return false
}
