import { violatedUnique } from '../../storage/conflicts.ts'
import { lastTokenExpires, type SigningKeyRow, type Slot, slotOf } from './signing-key.ts'
import type { SigningKeysNeeds } from './signing-keys.ts'
import * as store from './store.ts'

/** Thrown inside a transaction to roll the transaction back, because another process changed the keys first. */
class LostRace extends Error {}

/**
 * Runs `work`, one change of the keys, in a transaction. `work` passes the outcome of each conditional statement to
 * `won`. A change for an administrator begins with `by.allow`.
 * @throws the error of `by.allow`
 * @returns false when another process changed the keys first; the transaction is then rolled back
 */
export async function changeKeys({ store: db, by }: SigningKeysNeeds, work: () => Promise<void>): Promise<boolean> {
  try {
    await db.transaction(
      async () => {
        await by?.allow()
        await work()
      },
      { userId: by?.actorId },
    )
    return true
  } catch (error) {
    if (error instanceof LostRace || violatedUnique(error)?.startsWith('signing_keys.')) return false
    throw error
  }
}

/**
 * Checks the outcome of a conditional statement inside `changeKeys`. When `found` is false, another process has changed
 * a key or added an active or next key, and `changeKeys` rolls the change back.
 */
export function won(found: boolean): void {
  if (!found) throw new LostRace()
}

/**
 * Makes `to` the active key of `slot`, and retires the active key of that slot in `rows`. `to` is a key in `rows` or a
 * new key. Call this function inside `changeKeys`.
 * Next keys of algorithms other than that of `to` are retired too. A process that does not have the active JWT_SECRET
 * signs with such a next key, and a retired key still verifies these tokens.
 */
export async function replaceActive(
  needs: SigningKeysNeeds,
  rows: readonly SigningKeyRow[],
  { to, slot }: { to: SigningKeyRow; slot: Slot },
): Promise<void> {
  const { store: db, clock } = needs
  const now = clock.now()
  for (const row of rows) {
    const leaves = row.state === 'active' || (row.state === 'next' && row.alg !== to.alg)
    if (slotOf(row) !== slot || !leaves || row.kid === to.kid) continue
    won(await store.retire(db, { kid: row.kid, from: row.state, now, expiresAt: lastTokenExpires(row, now) }))
    await recordEvent(needs, 'key.retired', row)
  }
  if (rows.some(({ kid }) => kid === to.kid)) {
    won(await store.activate(db, { kid: to.kid, from: to.state, slot, now }))
    await recordEvent(needs, 'key.activated', to)
  } else won(await addKey(needs, { ...to, state: 'active', activeSlot: slot, nextSlot: null, activatedAt: now }))
}

/**
 * Adds a key and its audit events. Call this function in a transaction.
 * @returns false when the slot already has such a key, or there is a key with this `kid`
 */
export async function addKey(needs: SigningKeysNeeds, row: SigningKeyRow): Promise<boolean> {
  if (!(await store.insert(needs.store, row))) return false
  await recordEvent(needs, 'key.created', row)
  if (row.state === 'active') await recordEvent(needs, 'key.activated', row)
  return true
}

export const recordEvent = (
  { audit, by }: SigningKeysNeeds,
  event: 'key.created' | 'key.activated' | 'key.retired' | 'key.revoked',
  { kid, alg }: SigningKeyRow,
): Promise<void> => audit.record({ event, actorId: by?.actorId, ip: by?.ip, details: { kid, alg } })
