import { KeywardError } from '../../errors.ts'
import { rfc3339 } from '../../lib/clock.ts'
import type { Deps } from '../../service.ts'
import type { Keyring } from './keyring.ts'
import { ensureKeys } from './prepare.ts'
import { rotateKeys } from './rotate.ts'
import { renewSeals } from './sealed-key.ts'
import { KEEP_GONE, readyAt, rotationDue, type SigningKeyRow } from './signing-key.ts'
import * as store from './store.ts'

type MaintainDeps = Pick<Deps, 'config' | 'store' | 'clock' | 'random' | 'keyring' | 'log'>

/**
 * Follows what other processes did to the keys, says when this one cannot, and brings about a change of JWT_ALG. Every
 * process does this for itself: one of another opinion may hold the lease on the rest.
 */
export async function pollKeys(deps: MaintainDeps): Promise<void> {
  const { config, keyring, log } = deps
  await keyring.reload()
  const kid = keyring.unreadable()
  if (kid !== undefined)
    log.error('signing_key_unreadable', {
      kid,
      hint: 'it was sealed with another SECRET_KEY: set that one as SECRET_KEY_PREVIOUS, or give all replicas the same',
    })
  if (config.JWT_ALG !== 'HS256' && keyring.activeAlg() !== config.JWT_ALG) await rotateWhen(deps, algorithmChanged)
}

/**
 * What the keys need from time to time; one process does it for all, under a lease. A next key is there, the active
 * one changes with its age, seals are renewed, and what is long gone is deleted.
 */
export async function maintainKeys(deps: MaintainDeps): Promise<void> {
  const { config, store: db, clock, keyring, log } = deps
  if (config.JWT_ALG !== 'HS256') {
    const rows = await store.all(db)
    if (await ensureKeys(deps, rows)) await keyring.reload()
    await renewSeals(deps, rows)
    await rotateWhen(deps, isOld)
  }
  const deleted = await store.deleteGone(db, clock.now() - KEEP_GONE)
  if (deleted > 0) log.info('signing_keys_deleted', { count: deleted })
}

/** Why the active key should give way, if it should. */
type Due = (deps: MaintainDeps, active: SigningKeyRow) => 'age' | 'JWT_ALG' | undefined

const isOld: Due = ({ config, clock }, active) => {
  const due = rotationDue(active, config.KEY_ROTATION_DAYS)
  return due !== undefined && clock.now() >= due ? 'age' : undefined
}

/** Of processes with different settings the one started last decides; the others would only change it back. */
const algorithmChanged: Due = ({ config, keyring }, active) =>
  active.alg !== config.JWT_ALG && keyring.openedAt >= (active.activatedAt ?? active.createdAt) ? 'JWT_ALG' : undefined

/** Of which key it was said that it must wait: once is enough. */
const announced = new WeakMap<Keyring, string>()

async function rotateWhen(deps: MaintainDeps, isDue: Due): Promise<void> {
  const { config, store: db, clock, keyring, log } = deps
  const rows = await store.all(db)
  const active = rows.find(({ state }) => state === 'active')
  const next = rows.find(({ nextSlot }) => nextSlot === config.JWT_ALG)
  const reason = active && isDue(deps, active)
  if (!next || reason === undefined) return
  if (clock.now() < readyAt(next)) {
    if (announced.get(keyring) !== next.kid)
      log.info('signing_key_waits', { kid: next.kid, alg: next.alg, until: rfc3339(readyAt(next)), reason })
    announced.set(keyring, next.kid)
    return
  }
  try {
    const { active: kid, retired } = await rotateKeys(deps)
    log.info('signing_key_rotated', { kid, alg: next.alg, retired: retired?.kid, reason })
  } catch (error) {
    if (!(error instanceof KeywardError && error.code === 'keys_changed')) throw error
  }
}
