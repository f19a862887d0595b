import { KeywardError } from '../../errors.ts'
import { writeAside } from '../../storage/write-aside.ts'
import { type Client, isClientId } from './client.ts'
import type { ClientsNeeds, SentClient } from './clients.ts'
import { withoutForbidden } from './forbidden.ts'
import { isWellFormed, secretMacs } from './secret-text.ts'
import * as store from './store.ts'

/** See `Clients.authenticate`. */
export async function authenticate(needs: ClientsNeeds, sent: SentClient): Promise<Client> {
  requireOneMethod(sent)
  const client = await identify(needs, sent)
  if (client) return client
  // The id of an unknown client is not part of the key: a stranger could make any number of buckets.
  if (sent.secret !== undefined) await countGuess(needs, { key: sent.client, ip: sent.ip })
  throw new KeywardError('invalid_client')
}

/**
 * See `Clients.identify`. The secret is checked before the limit, and only a wrong secret takes a place, so a stranger
 * who guesses does not stop the client.
 */
export async function identify(needs: ClientsNeeds, sent: SentClient): Promise<Client | undefined> {
  const { store: db, clock, secrets, settings } = needs
  const { id, secret, client: network, ip } = sent
  if (!isClientId(id)) return undefined
  const macs =
    secret !== undefined && isWellFormed(secret) ? secretMacs(secrets.macKeys('client_secret'), secret) : undefined
  const found = await store.findWithSecret(db, { id, mac: macs?.[0] ?? null, now: clock.now() })
  if (!found) return undefined
  requireOneMethod(sent)
  const { client } = found
  if (client.isPublic !== (secret === undefined)) throw new KeywardError('invalid_client')
  const isGuess = !client.isPublic && !(macs && (await isRight(needs, found, macs)))
  if (isGuess) await countGuess(needs, { key: `${id}@${network}`, ip })
  if (isGuess || !client.isEnabled) throw new KeywardError('invalid_client')
  return withoutForbidden(client, settings)
}

/** @throws KeywardError `invalid_request` when the request has credentials in the header and in the form */
function requireOneMethod({ isTwice }: SentClient): void {
  if (isTwice)
    throw new KeywardError('invalid_request', { sentence: 'Send the client secret once: in the header or in the form' })
}

/** Takes a place of the limit. @throws KeywardError `rate_limited` when the limit is exhausted */
async function countGuess({ limits }: ClientsNeeds, { key, ip }: { key: string; ip: string }): Promise<void> {
  const place = await limits.reserve([{ rule: 'client.secret', key }], { ip })
  place.keep()
}

/** @param macs of the sent secret; `found` was looked up with the first one */
async function isRight(
  { store: db, clock, log, lastUses }: ClientsNeeds,
  { client, secret: current }: store.ClientWithSecret,
  macs: readonly [string, ...string[]],
): Promise<boolean> {
  const now = clock.now()
  const record = (id: number, recorded: number | null) => {
    if (lastUses.isDue(id, recorded, now))
      writeAside(log, () => store.touchSecret(db, { id, mac: macs[0], lastUsedAt: now }))
    return true
  }
  if (current) return record(current.id, current.lastUsedAt)
  const [first, ...former] = macs
  // The current MAC is looked up a second time: another process may have replaced a former MAC between the look-ups.
  for (const mac of former.length > 0 ? [...former, first] : []) {
    const secret = await store.findLiveSecret(db, { clientId: client.id, mac, now })
    // `touchSecret` also replaces the MAC of a former data key. `null` makes `isDue` ignore the stored last use then.
    if (secret) return record(secret.id, mac === first ? secret.lastUsedAt : null)
  }
  return false
}
