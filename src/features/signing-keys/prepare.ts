import { KeyringError } from '../secrets/secrets.ts'
import { addKey, changeKeys, replaceActive } from './change-keys.ts'
import { hmacKey, type PublicKeyAlgorithm } from './jwk.ts'
import type { Keyring } from './keyring.ts'
import { longestTokenOf, newKey, newRow, readKeys, renewSeals } from './sealed-key.ts'
import {
  activeOf,
  algOf,
  idTokenSlot,
  idTokenSlots,
  nextOf,
  type SigningKeyRow,
  type Slot,
  slotOf,
} from './signing-key.ts'
import type { SigningKeysNeeds } from './signing-keys.ts'
import * as store from './store.ts'

/**
 * Makes the stored keys fit this configuration. With JWT_ALG=HS256, JWT_SECRET becomes the active key. With another
 * JWT_ALG, there is then an active key and a next key of JWT_ALG. Seals are replaced by seals of SECRET_KEY, if every
 * running server can open the new seals. Several processes may run this function concurrently.
 * @throws KeyringError when a stored key was sealed with another SECRET_KEY, JWT_SECRET was revoked, or other processes
 *   changed the keys in each of five tries
 */
export async function prepareKeys(needs: SigningKeysNeeds): Promise<void> {
  const { settings, store: db } = needs
  let rows = await readKeys(needs)
  const changed = settings.alg === 'HS256' ? await adoptSecret(needs, rows) : await ensureKeys(needs, rows)
  if (changed) rows = await store.all(db)
  await renewSeals(needs, rows)
  for (const row of rows) {
    const slot = slotOf(row)
    const ms = slot === undefined ? 0 : longestTokenOf(settings, slot)
    if (row.longestToken < ms) await store.raiseLongestToken(db, { kid: row.kid, ms })
  }
}

/**
 * Adds the keys that `rows` lacks: for access tokens an active key when there is none of any algorithm and a next key
 * when there is none of this JWT_ALG, and in each slot of ID tokens that is in use an active key and a next key.
 * @returns true when a key was missing, so that the keys must be read again
 */
export async function ensureKeys(needs: SigningKeysNeeds, rows: readonly SigningKeyRow[]): Promise<boolean> {
  const { alg } = needs.settings
  const missing = alg === 'HS256' ? false : await fillSlot(needs, rows, { slot: 'active', alg })
  let added = missing
  for (const slot of idTokenSlots(rows)) added = (await fillSlot(needs, rows, { slot, alg: algOf(slot) })) || added
  return added
}

/**
 * Adds the active key and the next key of a slot, as far as `rows` lacks them. Call this function outside transactions.
 * @returns true when a key was missing
 */
async function fillSlot(
  needs: SigningKeysNeeds,
  rows: readonly SigningKeyRow[],
  of: { slot: Slot; alg: PublicKeyAlgorithm },
): Promise<boolean> {
  const signs = activeOf(rows, of.slot) !== undefined
  const waits = nextOf(rows, of.slot, of.alg) !== undefined
  if (signs && waits) return false
  const active = signs ? undefined : await newKey(needs, { ...of, state: 'active' })
  const next = waits ? undefined : await newKey(needs, { ...of, state: 'next' })
  // When two processes do this concurrently, one process adds the keys. The other then adds none: `addKey` returns false.
  await needs.store.transaction(async () => {
    if (active && !(await addKey(needs, active))) return
    if (next) await addKey(needs, next)
  })
  return true
}

/** Makes `SigningKeys.ensureIdTokenKey`. Calls for one algorithm share the work. */
export function ensuringIdTokenKey(needs: SigningKeysNeeds, keyring: Keyring) {
  const running = new Map<PublicKeyAlgorithm, Promise<void>>()
  const ensure = async (alg: PublicKeyAlgorithm): Promise<void> => {
    await fillSlot(needs, await readKeys(needs), { slot: idTokenSlot(alg), alg })
    await keyring.reload()
  }
  return (alg: PublicKeyAlgorithm): Promise<void> => {
    const work = running.get(alg) ?? ensure(alg).finally(() => running.delete(alg))
    running.set(alg, work)
    return work
  }
}

/**
 * Makes JWT_SECRET the active key at once, because the services that verify tokens already have JWT_SECRET. The row
 * does not contain the secret. After a change of JWT_ALG, the times in the row decide how long HS256 tokens are
 * accepted.
 * @returns true when the stored keys changed
 * @throws KeyringError when JWT_SECRET was revoked, or other processes changed the keys in each of five tries
 */
async function adoptSecret(needs: SigningKeysNeeds, rows: readonly SigningKeyRow[]): Promise<boolean> {
  const { settings, store: db } = needs
  const { kid } = hmacKey(settings.hmacSecret!)
  for (let tried = 0; tried < 5; tried++) {
    if (tried > 0) rows = await store.all(db)
    const known = rows.find((row) => row.kid === kid)
    if (known?.state === 'active') return tried > 0
    if (known?.state === 'revoked')
      throw new KeyringError('This JWT_SECRET was revoked: set another one, here and where its tokens are verified.')
    const slot = 'active'
    const to = known ?? newRow(needs, { kid, alg: 'HS256', state: 'active', slot })
    if (await changeKeys(needs, () => replaceActive(needs, rows, { to, slot }))) return true
  }
  throw new KeyringError('Other processes keep changing the signing keys: start again when they have finished.')
}
