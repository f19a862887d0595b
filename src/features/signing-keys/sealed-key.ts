import { seal, sealedWith, secretId, unseal } from '../../lib/seal.ts'
import {
  exportPrivateKey,
  exportPublicJwk,
  generateSigningKey,
  importPrivateKey,
  type PublicKeyAlgorithm,
  type SignatureAlgorithm,
  type SigningKey,
} from './jwk.ts'
import type { SigningKeyRow } from './signing-key.ts'
import type { SigningKeysNeeds } from './signing-keys.ts'
import * as store from './store.ts'

/** The stored signing keys do not fit this configuration; `message` says what to do. */
export class KeyringError extends Error {
  override readonly name = 'KeyringError'
}

type Secrets = SigningKeysNeeds['secrets']

/** Binds a sealed private key to the `kid` of its row. A sealed key that is copied to another row cannot be opened. */
const sealContext = (kid: string): string => `signing_keys.private_key:${kid}`

/** Makes a key without storing it. Call it outside transactions: an RSA key can take hundreds of milliseconds. */
export function newKey(needs: SigningKeysNeeds, alg: PublicKeyAlgorithm, state: 'next' | 'active'): SigningKeyRow {
  let key = generateSigningKey(alg)
  // `keyward keys revoke <kid>` would read an id that begins with a dash as an option.
  while (key.kid.startsWith('-')) key = generateSigningKey(alg)
  const { kid } = key
  const publicJwk = JSON.stringify(exportPublicJwk(key))
  return { ...newRow(needs, { kid, alg, state }), publicJwk, sealedPrivateKey: sealKey(needs, key) }
}

/** The row of a new key without its public and private part. */
export function newRow(
  { settings, clock }: SigningKeysNeeds,
  { kid, alg, state }: { kid: string; alg: SignatureAlgorithm; state: 'next' | 'active' },
): SigningKeyRow {
  const now = clock.now()
  return {
    kid,
    alg,
    publicJwk: '',
    sealedPrivateKey: '',
    state,
    activeSlot: state === 'active' ? 'active' : null,
    nextSlot: state === 'next' ? alg : null,
    createdAt: now,
    activatedAt: state === 'active' ? now : null,
    retiredAt: null,
    expiresAt: null,
    revokedAt: null,
    longestToken: settings.tokenLifetime,
  }
}

const sealKey = ({ secrets, random }: SigningKeysNeeds, key: SigningKey): string =>
  seal(secrets[0], sealContext(key.kid), exportPrivateKey(key), random)

/**
 * Opens the private key of an `active` or `next` row that is not HS256.
 * @throws KeyringError when it was sealed with another SECRET_KEY, was altered, or belongs to another row
 */
export function openPrivateKey(secrets: Secrets, row: SigningKeyRow): SigningKey {
  const der = unseal(secrets, sealContext(row.kid), row.sealedPrivateKey)
  if (!der)
    throw new KeyringError(
      'This SECRET_KEY does not open the signing keys in the database. Start with the former SECRET_KEY, or set it as SECRET_KEY_PREVIOUS beside the new one. If it is lost, see “The secret key” in the chapter “Security” of the guide.',
    )
  return importPrivateKey(row.alg as PublicKeyAlgorithm, der)
}

/**
 * Reads every key and checks that the secrets open all private keys. Call it before you seal and store another key.
 * @throws KeyringError when a private key cannot be opened
 */
export async function readKeys({ store: db, secrets }: SigningKeysNeeds): Promise<SigningKeyRow[]> {
  const rows = await store.all(db)
  for (const row of rows) if (row.sealedPrivateKey !== '') openPrivateKey(secrets, row)
  return rows
}

/** Seals with SECRET_KEY every private key that is still sealed with SECRET_KEY_PREVIOUS. */
export async function renewSeals(needs: SigningKeysNeeds, rows: readonly SigningKeyRow[]): Promise<void> {
  const { secrets, store: db } = needs
  for (const row of rows) {
    const { kid, sealedPrivateKey: from } = row
    if (from === '' || sealedWith(from) === secretId(secrets[0])) continue
    await store.replaceSeal(db, { kid, from, to: sealKey(needs, openPrivateKey(secrets, row)) })
  }
}
