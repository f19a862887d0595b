import { KeywardError } from '../../errors.ts'
import { addKey, changeKeys, recordEvent, replaceActive, won } from './change-keys.ts'
import type { PublicKeyAlgorithm } from './jwk.ts'
import type { Keyring } from './keyring.ts'
import { newKey, readKeys } from './sealed-key.ts'
import { nextOf, type SigningKeyRow, type Slot, slotOf } from './signing-key.ts'
import type { SigningKeysNeeds } from './signing-keys.ts'
import * as store from './store.ts'

export interface Revocation {
  kid: string
  /** True when the key was revoked before this call, so that the call wrote nothing. */
  already: boolean
  /** The `kid` of the new active key; undefined when the revoked key was not the active key. */
  active: string | undefined
}

export async function revokeKey(needs: SigningKeysNeeds, keyring: Keyring, kid: string): Promise<Revocation> {
  const { store: db, clock } = needs
  const rows = await readKeys(needs)
  const row = rows.find((one) => one.kid === kid)
  if (!row) throw new KeywardError('key_not_found')
  if (row.state === 'revoked') return { kid, already: true, active: undefined }
  if (row.alg === 'HS256' && row.state === 'active') throw new KeywardError('key_not_rotatable')

  const successors = await makeSuccessors(needs, row, rows)
  const done = await changeKeys(needs, async () => {
    won(await store.revoke(db, { kid, from: row.state, now: clock.now() }))
    await recordEvent(needs, 'key.revoked', row)
    const others = rows.filter((one) => one !== row)
    if (successors.active) await replaceActive(needs, others, { to: successors.active, slot: successors.slot })
    if (successors.next) won(await addKey(needs, successors.next))
  })
  if (!done) throw new KeywardError('keys_changed')
  await keyring.reload()
  return { kid, already: false, active: successors.active?.kid }
}

/**
 * Chooses the keys that replace the revoked key `row` in its slot.
 * - The active key is replaced by the next key of this JWT_ALG (with HS256 and for ID tokens, of the algorithm of `row`),
 *   or by a new key when there is none. A new next key is added.
 * - A next key is replaced by a new next key.
 * - A retired key is not replaced.
 */
async function makeSuccessors(
  needs: SigningKeysNeeds,
  row: SigningKeyRow,
  rows: readonly SigningKeyRow[],
): Promise<{ slot: Slot; active?: SigningKeyRow; next?: SigningKeyRow }> {
  const { settings } = needs
  const slot = slotOf(row) ?? 'active'
  const wanted = slot === 'active' && settings.alg !== 'HS256' ? settings.alg : row.alg
  const make = (state: 'next' | 'active', alg = wanted) =>
    newKey(needs, { alg: alg as PublicKeyAlgorithm, state, slot })
  if (row.state === 'retired') return { slot }
  if (row.state === 'next') return { slot, next: await make('next', row.alg) }
  return { slot, active: nextOf(rows, slot, wanted) ?? (await make('active')), next: await make('next') }
}
