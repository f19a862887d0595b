import type { Config } from '../../config/schema.ts'
import type { Clock } from '../../lib/clock.ts'
import type { Random } from '../../lib/random.ts'
import type { Store } from '../../storage/store.ts'
import { hmacKey, type PublicKeyAlgorithm } from './jwk.ts'
import { KeyringError, newKey, renewSeals, requireSecrets } from './sealed-key.ts'
import { type SigningKeyRow, tokenLifetime } from './signing-key.ts'
import * as store from './store.ts'
import { addKey, changeKeys, turnOver } from './turn-over.ts'

export interface KeyDeps {
  config: Pick<
    Config,
    | 'JWT_ALG'
    | 'JWT_SECRET'
    | 'SECRET_KEY'
    | 'SECRET_KEY_PREVIOUS'
    | 'ACCESS_TOKEN_EXPIRE_MINUTES'
    | 'KEY_ROTATION_DAYS'
  >
  store: Store
  clock: Clock
  random: Random
}

/**
 * Brings the stored keys to what this configuration needs: a key that signs and one that waits, made where there is
 * none, or JWT_SECRET put in its place; seals renewed with SECRET_KEY. Several processes may do this at once.
 * @throws KeyringError when a stored key was sealed with another SECRET_KEY, or JWT_SECRET was revoked
 */
export async function prepareKeys(deps: KeyDeps): Promise<void> {
  const { config, store: db } = deps
  let rows = await store.all(db)
  requireSecrets(config, rows)
  const changed = config.JWT_ALG === 'HS256' ? await adoptSecret(deps, rows) : await ensureKeys(deps, rows)
  if (changed) rows = await store.all(db)
  await renewSeals(deps, rows)
  const lifetime = tokenLifetime(config)
  if (rows.some(({ state, longestToken }) => (state === 'active' || state === 'next') && longestToken < lifetime))
    await store.raiseLongestToken(db, lifetime)
}

/** Makes the first keys, or the next one of this algorithm; answers whether there was anything to do. */
export async function ensureKeys(deps: KeyDeps, rows: readonly SigningKeyRow[]): Promise<boolean> {
  const { config, store: db } = deps
  const alg = config.JWT_ALG as PublicKeyAlgorithm
  const signs = rows.some(({ state }) => state === 'active')
  const waits = rows.some(({ state, nextSlot }) => state === 'next' && nextSlot === alg)
  if (signs && waits) return false
  const active = signs ? undefined : newKey(deps, alg, 'active')
  const next = waits ? undefined : newKey(deps, alg, 'next')
  // Of two first starts at once, one makes the keys and the other finds the places taken.
  await db.transaction(async () => {
    if (active && !(await addKey(deps, active))) return
    if (next) await addKey(deps, next)
  })
  return true
}

/**
 * Lets JWT_SECRET sign at once: who verifies with it has it already. Its row holds no secret; it says since when and
 * until when its tokens count, so that those of a secret which stays configured end after a change of JWT_ALG.
 */
async function adoptSecret({ config, store: db, clock }: KeyDeps, rows: readonly SigningKeyRow[]): Promise<boolean> {
  const { kid } = hmacKey(config.JWT_SECRET!)
  for (let tried = 0; tried < 5; tried++) {
    if (tried > 0) rows = await store.all(db)
    const known = rows.find((row) => row.kid === kid)
    if (known?.state === 'active') return tried > 0
    if (known?.state === 'revoked')
      throw new KeyringError('This JWT_SECRET was revoked: set another one, here and where its tokens are verified.')
    const to = known ?? secretRow(kid, clock, tokenLifetime(config))
    const done = await changeKeys(db, async () => {
      await turnOver(db, { rows, to, clock })
      return true
    })
    if (done) return true
  }
  throw new KeyringError('Other processes keep changing the signing keys: start again when they are done.')
}

const secretRow = (kid: string, clock: Clock, longestToken: number): SigningKeyRow => ({
  kid,
  alg: 'HS256',
  publicJwk: '',
  sealedPrivateKey: '',
  state: 'active',
  activeSlot: 'active',
  nextSlot: null,
  createdAt: clock.now(),
  activatedAt: null,
  retiredAt: null,
  expiresAt: null,
  revokedAt: null,
  longestToken,
})
