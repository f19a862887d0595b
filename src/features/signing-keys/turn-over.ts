import { violatedUnique } from '../../storage/conflicts.ts'
import type { Store } from '../../storage/store.ts'
import { lastTokenOut, type SigningKeyRow } from './signing-key.ts'
import type { SigningKeysNeeds } from './signing-keys.ts'
import * as store from './store.ts'

/** Another process changed the keys first. Thrown inside a transaction to roll it back. */
class LostRace extends Error {}

/**
 * Runs one change of the keys in a transaction. Each step checks with `won` that the state it read still holds.
 * @returns undefined when another process changed the keys first; nothing was written then
 */
export async function changeKeys<T>(db: Store, work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await db.transaction(work)
  } catch (error) {
    if (error instanceof LostRace || violatedUnique(error)?.startsWith('signing_keys.')) return undefined
    throw error
  }
}

/** Rolls the change back unless a conditional statement found its row. */
export function won(found: boolean): void {
  if (!found) throw new LostRace()
}

type TurnOverNeeds = Pick<SigningKeysNeeds, 'store' | 'clock' | 'audit'>

/**
 * Makes `to` the active key instead of the present one; inside `changeKeys`. Next keys of other algorithms are retired
 * with it, since a process that could not use the active key may have signed with one of them.
 */
export async function turnOver(
  needs: TurnOverNeeds,
  { rows, to }: { rows: readonly SigningKeyRow[]; to: SigningKeyRow },
): Promise<void> {
  const { store: db, clock } = needs
  const now = clock.now()
  for (const row of rows) {
    const leaves = row.state === 'active' || (row.state === 'next' && row.alg !== to.alg)
    if (!leaves || row.kid === to.kid) continue
    won(await store.retire(db, { kid: row.kid, from: row.state, now, expiresAt: lastTokenOut(row, now) }))
    await tell(needs, 'key.retired', row)
  }
  if (rows.some(({ kid }) => kid === to.kid)) {
    won(await store.activate(db, { kid: to.kid, from: to.state, now }))
    await tell(needs, 'key.activated', to)
  } else won(await addKey(needs, { ...to, state: 'active', activeSlot: 'active', nextSlot: null, activatedAt: now }))
}

/** Adds a key unless its slot is taken. Call it in a transaction. @returns whether it was added */
export async function addKey(needs: TurnOverNeeds, row: SigningKeyRow): Promise<boolean> {
  if (!(await store.insert(needs.store, row))) return false
  await tell(needs, 'key.created', row)
  if (row.state === 'active') await tell(needs, 'key.activated', row)
  return true
}

/** Writes what happened to a key into the audit log. */
export const tell = (
  { audit }: Pick<SigningKeysNeeds, 'audit'>,
  event: 'key.created' | 'key.activated' | 'key.retired' | 'key.revoked',
  { kid, alg }: Pick<SigningKeyRow, 'kid' | 'alg'>,
): Promise<void> => audit.record({ event, details: { kid, alg } })
