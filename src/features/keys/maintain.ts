import type { Deps } from '../../deps.ts'
import { KeywardError } from '../../errors.ts'
import { rfc3339 } from '../../lib/clock.ts'
import { ensureKeys } from './prepare.ts'
import { rotateKeys } from './rotate.ts'
import { renewSeals } from './sealed-key.ts'
import { KEEP_GONE, readyAt, rotationDue } from './signing-key.ts'
import * as store from './store.ts'

type MaintainDeps = Pick<Deps, 'config' | 'store' | 'clock' | 'random' | 'keyring' | 'log'>

/** Follows what other processes did to the keys, and says when this one cannot. */
export async function pollKeys({ keyring, log }: Pick<Deps, 'keyring' | 'log'>): Promise<void> {
  await keyring.reload()
  const kid = keyring.unreadable()
  if (kid !== undefined)
    log.error('signing_key_unreadable', {
      kid,
      hint: 'it was sealed with another SECRET_KEY: set that one as SECRET_KEY_PREVIOUS, or give all replicas the same',
    })
}

/**
 * What the keys need from time to time; one process does it for all, under a lease. A next key is there, the active
 * one changes with its age and with JWT_ALG, seals are renewed, and what is long gone is deleted.
 */
export async function maintainKeys(deps: MaintainDeps): Promise<void> {
  const { config, store: db, clock, keyring, log } = deps
  if (config.JWT_ALG !== 'HS256') {
    const rows = await store.all(db)
    if (await ensureKeys(deps, rows)) await keyring.reload()
    await renewSeals(deps, rows)
    await rotateIfDue(deps)
  }
  const deleted = await store.deleteGone(db, clock.now() - KEEP_GONE)
  if (deleted > 0) log.info('signing_keys_deleted', { count: deleted })
}

async function rotateIfDue(deps: MaintainDeps): Promise<void> {
  const { config, store: db, clock, keyring, log } = deps
  const rows = await store.all(db)
  const active = rows.find(({ state }) => state === 'active')
  const next = rows.find(({ nextSlot }) => nextSlot === config.JWT_ALG)
  if (!active || !next) return
  // Of replicas with different settings the one started last decides; the others would only change it back.
  const algChanged = active.alg !== config.JWT_ALG && keyring.openedAt >= (active.activatedAt ?? active.createdAt)
  const due = rotationDue(active, config.KEY_ROTATION_DAYS)
  if (!algChanged && (due === undefined || clock.now() < due)) return
  if (clock.now() < readyAt(next)) {
    log.info('signing_key_waits', { kid: next.kid, alg: next.alg, until: rfc3339(readyAt(next)) })
    return
  }
  try {
    const { active: kid, retired } = await rotateKeys(deps)
    log.info('signing_key_rotated', { kid, retired: retired?.kid, reason: algChanged ? 'JWT_ALG' : 'age' })
  } catch (error) {
    if (!(error instanceof KeywardError && error.code === 'keys_changed')) throw error
  }
}
