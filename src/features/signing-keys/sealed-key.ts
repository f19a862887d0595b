import { seal, sealedWith, secretId, unseal } from '../../lib/seal.ts'
import {
  exportPrivateKey,
  exportPublicJwk,
  generateSigningKey,
  importPrivateKey,
  type PublicKeyAlgorithm,
  type SigningKey,
} from './jwk.ts'
import type { SigningKeyRow } from './signing-key.ts'
import type { SigningKeysNeeds } from './signing-keys.ts'
import * as store from './store.ts'

/** The stored signing keys cannot be used with this configuration; `message` says what to do. */
export class KeyringError extends Error {
  override readonly name = 'KeyringError'
}

type Secrets = SigningKeysNeeds['secrets']

/** Binds a sealed private key to its row: moved to another row it does not open. */
const sealContext = (kid: string): string => `signing_keys.private_key:${kid}`

/** Makes a key as a row, not stored yet. Call it outside transactions: an RSA key takes some hundred milliseconds. */
export function newKey(
  { secrets, settings, clock, random }: SigningKeysNeeds,
  alg: PublicKeyAlgorithm,
  state: 'next' | 'active',
): SigningKeyRow {
  let key = generateSigningKey(alg)
  // `keyward keys revoke <kid>` would take a name that begins with a dash for an option.
  while (key.kid.startsWith('-')) key = generateSigningKey(alg)
  const now = clock.now()
  return {
    kid: key.kid,
    alg,
    publicJwk: JSON.stringify(exportPublicJwk(key)),
    sealedPrivateKey: seal(secrets[0], sealContext(key.kid), exportPrivateKey(key), random),
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

/**
 * Opens the private key of an `active` or `next` row that is not HS256.
 * @throws KeyringError when it was sealed with another SECRET_KEY, altered, or moved here from another row
 */
export function openPrivateKey(secrets: Secrets, row: SigningKeyRow): SigningKey {
  const der = unseal(secrets, sealContext(row.kid), row.sealedPrivateKey)
  if (!der)
    throw new KeyringError(
      'SECRET_KEY is not the one this database was set up with, so its signing key cannot be opened. Start with the former SECRET_KEY, or set it as SECRET_KEY_PREVIOUS beside the new one. If it is lost for good, see “The secret key” in the guide, /docs/guide/security.',
    )
  return importPrivateKey(row.alg as PublicKeyAlgorithm, der)
}

/**
 * Checks that these secrets open every stored private key, before another is sealed beside them.
 * @throws KeyringError
 */
export function requireSecrets(secrets: Secrets, rows: readonly SigningKeyRow[]): void {
  for (const row of rows) if (row.sealedPrivateKey !== '') openPrivateKey(secrets, row)
}

/** Seals with SECRET_KEY every private key that is still sealed with SECRET_KEY_PREVIOUS. */
export async function renewSeals(
  { secrets, store: db, random }: SigningKeysNeeds,
  rows: readonly SigningKeyRow[],
): Promise<void> {
  for (const row of rows) {
    const { kid, sealedPrivateKey: from } = row
    if (from === '' || sealedWith(from) === secretId(secrets[0])) continue
    const to = seal(secrets[0], sealContext(kid), exportPrivateKey(openPrivateKey(secrets, row)), random)
    await store.replaceSeal(db, { kid, from, to })
  }
}
