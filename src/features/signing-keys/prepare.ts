import { KeyringError } from '../secrets/secrets.ts'
import { addKey, changeKeys, replaceActive } from './change-keys.ts'
import { hmacKey, type PublicKeyAlgorithm } from './jwk.ts'
import { newKey, newRow, readKeys, renewSeals } from './sealed-key.ts'
import type { SigningKeyRow } from './signing-key.ts'
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
  const { tokenLifetime } = settings
  if (rows.some(({ state, longestToken }) => (state === 'active' || state === 'next') && longestToken < tokenLifetime))
    await store.raiseLongestToken(db, tokenLifetime)
}

/**
 * Adds the keys that `rows` lacks, with this JWT_ALG: an active key when there is none of any algorithm, and a next key
 * when there is none of this algorithm. Call this function with an asymmetric JWT_ALG only.
 * @returns true when a key was missing, so that the keys must be read again
 */
export async function ensureKeys(needs: SigningKeysNeeds, rows: readonly SigningKeyRow[]): Promise<boolean> {
  const { settings, store: db } = needs
  const alg = settings.alg as PublicKeyAlgorithm
  const signs = rows.some(({ state }) => state === 'active')
  const waits = rows.some(({ state, nextSlot }) => state === 'next' && nextSlot === alg)
  if (signs && waits) return false
  const active = signs ? undefined : await newKey(needs, alg, 'active')
  const next = waits ? undefined : await newKey(needs, alg, 'next')
  // When two processes start concurrently, one process adds the keys. The other then adds none: `addKey` returns false.
  await db.transaction(async () => {
    if (active && !(await addKey(needs, active))) return
    if (next) await addKey(needs, next)
  })
  return true
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
    const to = known ?? newRow(needs, { kid, alg: 'HS256', state: 'active' })
    if (await changeKeys(needs, () => replaceActive(needs, rows, to))) return true
  }
  throw new KeyringError('Other processes keep changing the signing keys: start again when they have finished.')
}
