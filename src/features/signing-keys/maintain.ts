import { KeywardError } from '../../errors.ts'
import { rfc3339 } from '../../lib/clock.ts'
import type { Keyring } from './keyring.ts'
import { ensureKeys } from './prepare.ts'
import { rotateKeys } from './rotate.ts'
import { renewSeals } from './sealed-key.ts'
import {
  activeOf,
  algOf,
  idTokenSlots,
  KEEP_EXPIRED,
  nextOf,
  readyAt,
  rotationDue,
  type SigningKeyRow,
  type Slot,
} from './signing-key.ts'
import type { SigningKeysNeeds } from './signing-keys.ts'
import * as store from './store.ts'

/**
 * Implements `SigningKeys.poll`. Every process compares its own JWT_ALG with the algorithm of the active key, because
 * the one process that runs `maintainKeys` may have another JWT_ALG.
 */
export async function pollKeys(needs: SigningKeysNeeds, keyring: Keyring): Promise<void> {
  const { settings, log } = needs
  await keyring.reload()
  const kid = keyring.unreadable()
  if (kid !== undefined)
    log.error('signing_key_unreadable', {
      kid,
      hint: 'it was sealed with another SECRET_KEY: set that as SECRET_KEY_PREVIOUS, or use one SECRET_KEY for all replicas',
    })
  if (settings.alg !== 'HS256' && keyring.activeAlg() !== settings.alg)
    await rotateWhen(needs, keyring, algorithmChanged)
}

export async function maintainKeys(needs: SigningKeysNeeds, keyring: Keyring): Promise<void> {
  const { store: db, clock, log } = needs
  const rows = await store.all(db)
  if (await ensureKeys(needs, rows)) await keyring.reload()
  await renewSeals(needs, rows)
  await rotateWhen(needs, keyring, isOld)
  for (const slot of idTokenSlots(rows)) await rotateWhen(needs, keyring, isOld, slot)
  const deleted = await store.deleteExpired(db, clock.now() - KEEP_EXPIRED)
  if (deleted > 0) log.info('signing_keys_deleted', { count: deleted })
}

/** Returns the reason to replace the active key of a slot; undefined when there is no reason. */
type Due = (needs: SigningKeysNeeds, keyring: Keyring, active: SigningKeyRow) => 'age' | 'JWT_ALG' | undefined

const isOld: Due = ({ settings, clock }, _, active) => {
  const due = rotationDue(active, settings.rotationDays)
  return due !== undefined && clock.now() >= due ? 'age' : undefined
}

/**
 * Only a process that started after the active key was activated may change the algorithm. Otherwise two processes with
 * different settings would replace each other's key again and again.
 */
const algorithmChanged: Due = ({ settings }, keyring, active) =>
  active.alg !== settings.alg && keyring.openedAt >= (active.activatedAt ?? active.createdAt) ? 'JWT_ALG' : undefined

/**
 * For each keyring, the next keys that a log line `signing_key_waits` named. The poll runs every 10 s, but the log gets
 * only one line for each key.
 */
const announced = new WeakMap<Keyring, Set<string>>()

async function rotateWhen(needs: SigningKeysNeeds, keyring: Keyring, isDue: Due, slot: Slot = 'active'): Promise<void> {
  const { settings, store: db, clock, log } = needs
  const idTokens = slot === 'active' ? undefined : algOf(slot)
  const alg = idTokens ?? settings.alg
  if (alg === 'HS256') return
  const rows = await store.all(db)
  const active = activeOf(rows, slot)
  const next = nextOf(rows, slot, alg)
  const reason = active && isDue(needs, keyring, active)
  if (!next || reason === undefined) return
  if (clock.now() < readyAt(next)) {
    const named = announced.get(keyring) ?? new Set()
    announced.set(keyring, named)
    if (named.has(next.kid)) return
    named.add(next.kid)
    return log.info('signing_key_waits', { kid: next.kid, alg, until: rfc3339(readyAt(next)), reason })
  }
  try {
    const { active: kid, retired } = await rotateKeys(needs, keyring, { idTokens })
    log.info('signing_key_rotated', { kid, alg, retired: retired?.kid, reason })
  } catch (error) {
    if (!(error instanceof KeywardError && error.code === 'keys_changed')) throw error
  }
}
