import type { Config } from '../../config/schema.ts'
import type { Clock } from '../../lib/clock.ts'
import type { Random } from '../../lib/random.ts'
import { seal, unseal } from '../../lib/seal.ts'
import type { Store } from '../../storage/store.ts'
import {
  exportPrivateKey,
  exportPublicJwk,
  generateSigningKey,
  hmacKey,
  importPrivateKey,
  importPublicJwk,
  type PublicJwk,
  type PublicKeyAlgorithm,
  type SigningKey,
  type VerificationKey,
} from './jwk.ts'
import * as store from './store.ts'

export interface Keyring {
  /** The key that signs now. */
  signing(): SigningKey
  /** The key a token names, if its signatures are still taken. */
  find(kid: string | undefined): VerificationKey | undefined
}

/** The stored signing keys cannot be used with this configuration; `message` says what to do. */
export class KeyringError extends Error {
  override readonly name = 'KeyringError'
}

interface KeyringDeps {
  config: Pick<Config, 'JWT_ALG' | 'JWT_SECRET' | 'SECRET_KEY' | 'SECRET_KEY_PREVIOUS'>
  store: Store
  clock: Clock
  random: Random
}

/** What a sealed private key is bound to, so that one moved to another row does not open. */
const sealContext = (kid: string): string => `signing_keys.private_key:${kid}`

/**
 * Opens the signing keys, making the first one where there is none.
 * @throws KeyringError when a stored key was sealed with another SECRET_KEY
 */
export async function openKeyring(deps: KeyringDeps): Promise<Keyring> {
  const { config } = deps
  if (config.JWT_ALG === 'HS256') {
    const key = hmacKey(config.JWT_SECRET!)
    return { signing: () => key, find: (kid) => (kid === undefined || kid === key.kid ? key : undefined) }
  }
  const alg = config.JWT_ALG
  const rows = await store.all(deps.store)
  if (!rows.some((row) => row.activeSlot === alg)) {
    await makeKey(deps, alg)
    rows.splice(0, rows.length, ...(await store.all(deps.store)))
  }
  const active = rows.find((row) => row.activeSlot === alg)!
  const signing = openPrivateKey(deps, active)
  const public_ = new Map(rows.map((row) => [row.kid, importPublicJwk(JSON.parse(row.publicJwk) as PublicJwk)]))
  return { signing: () => signing, find: (kid) => (kid === undefined ? undefined : public_.get(kid)) }
}

async function makeKey({ config, store: db, clock, random }: KeyringDeps, alg: PublicKeyAlgorithm): Promise<void> {
  const key = generateSigningKey(alg)
  await store.insertIfFirst(db, {
    kid: key.kid,
    alg,
    publicJwk: JSON.stringify(exportPublicJwk(key)),
    sealedPrivateKey: seal(config.SECRET_KEY, sealContext(key.kid), exportPrivateKey(key), random),
    state: 'active',
    activeSlot: alg,
    createdAt: clock.now(),
  })
}

function openPrivateKey({ config }: KeyringDeps, row: store.SigningKeyRow): SigningKey {
  const secrets = [config.SECRET_KEY, ...(config.SECRET_KEY_PREVIOUS ? [config.SECRET_KEY_PREVIOUS] : [])]
  const der = unseal(secrets, sealContext(row.kid), row.sealedPrivateKey)
  if (!der)
    throw new KeyringError(
      'SECRET_KEY is not the one this database was set up with, so its signing key cannot be opened. Start with the former SECRET_KEY, or set it as SECRET_KEY_PREVIOUS beside the new one.',
    )
  return importPrivateKey(row.alg as PublicKeyAlgorithm, der)
}
