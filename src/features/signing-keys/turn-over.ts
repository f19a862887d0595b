import type { Clock } from '../../lib/clock.ts'
import type { Deps } from '../../service.ts'
import { violatedUnique } from '../../storage/conflicts.ts'
import type { Store } from '../../storage/store.ts'
import { record } from '../audit/audit.ts'
import { lastTokenOut, type SigningKeyRow } from './signing-key.ts'
import * as store from './store.ts'

/** Another process changed the keys first; thrown inside a transaction to undo it. */
class LostRace extends Error {}

/**
 * Runs one change of the keys in a transaction. Each of its steps asks for the state it read, by `won`.
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

/** Goes on only if a conditional statement found what it asked for. */
export function won(found: boolean): void {
  if (!found) throw new LostRace()
}

/**
 * Lets `to` sign instead of what signs now; inside `changeKeys`. Keys of other algorithms that waited are retired with
 * it, since a process that could not use the active key may have signed with one.
 */
export async function turnOver(
  db: Store,
  { rows, to, clock }: { rows: readonly SigningKeyRow[]; to: SigningKeyRow; clock: Clock },
): Promise<void> {
  const now = clock.now()
  for (const row of rows) {
    const leaves = row.state === 'active' || (row.state === 'next' && row.alg !== to.alg)
    if (!leaves || row.kid === to.kid) continue
    won(await store.retire(db, { kid: row.kid, from: row.state, now, expiresAt: lastTokenOut(row, now) }))
    await tell({ store: db, clock }, 'key.retired', row)
  }
  const stored = rows.some(({ kid }) => kid === to.kid)
  if (!stored) {
    won(
      await addKey(
        { store: db, clock },
        { ...to, state: 'active', activeSlot: 'active', nextSlot: null, activatedAt: now },
      ),
    )
    return
  }
  won(await store.activate(db, { kid: to.kid, from: to.state, now }))
  await tell({ store: db, clock }, 'key.activated', to)
}

/** Adds a key unless its place is taken; answers whether it did. Call it in a transaction. */
export async function addKey(deps: Pick<Deps, 'store' | 'clock'>, row: SigningKeyRow): Promise<boolean> {
  if (!(await store.insert(deps.store, row))) return false
  await tell(deps, 'key.created', row)
  if (row.state === 'active') await tell(deps, 'key.activated', row)
  return true
}

/** Writes what happened to a key into the audit log. */
export const tell = (
  deps: Pick<Deps, 'store' | 'clock'>,
  event: 'key.created' | 'key.activated' | 'key.retired' | 'key.revoked',
  { kid, alg }: Pick<SigningKeyRow, 'kid' | 'alg'>,
): Promise<void> => record(deps, { event, details: { kid, alg } })
