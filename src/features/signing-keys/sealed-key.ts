import type { Config } from '../../config/schema.ts'
import type { Clock } from '../../lib/clock.ts'
import type { Random } from '../../lib/random.ts'
import { seal, sealedWith, secretId, unseal } from '../../lib/seal.ts'
import type { Db } from '../../storage/store.ts'
import {
  exportPrivateKey,
  exportPublicJwk,
  generateSigningKey,
  importPrivateKey,
  type PublicKeyAlgorithm,
  type SigningKey,
} from './jwk.ts'
import { type SigningKeyRow, tokenLifetime } from './signing-key.ts'
import * as store from './store.ts'

/** The stored signing keys cannot be used with this configuration; `message` says what to do. */
export class KeyringError extends Error {
  override readonly name = 'KeyringError'
}

type Secrets = Pick<Config, 'SECRET_KEY' | 'SECRET_KEY_PREVIOUS'>

/** What a sealed private key is bound to, so that one moved to another row does not open. */
const sealContext = (kid: string): string => `signing_keys.private_key:${kid}`

/** A fresh key as a row, not stored yet. Call it outside transactions: an RSA key takes its time. */
export function newKey(
  deps: { config: Secrets & Pick<Config, 'ACCESS_TOKEN_EXPIRE_MINUTES'>; clock: Clock; random: Random },
  alg: PublicKeyAlgorithm,
  state: 'next' | 'active',
): SigningKeyRow {
  const { config, clock, random } = deps
  let key = generateSigningKey(alg)
  // `keyward keys revoke <kid>` would take a name that begins with a dash for an option.
  while (key.kid.startsWith('-')) key = generateSigningKey(alg)
  const now = clock.now()
  return {
    kid: key.kid,
    alg,
    publicJwk: JSON.stringify(exportPublicJwk(key)),
    sealedPrivateKey: seal(config.SECRET_KEY, sealContext(key.kid), exportPrivateKey(key), random),
    state,
    activeSlot: state === 'active' ? 'active' : null,
    nextSlot: state === 'next' ? alg : null,
    createdAt: now,
    activatedAt: state === 'active' ? now : null,
    retiredAt: null,
    expiresAt: null,
    revokedAt: null,
    longestToken: tokenLifetime(config),
  }
}

/**
 * Opens the private part of a key that is `active` or `next` and not HS256.
 * @throws KeyringError when it was sealed with another SECRET_KEY, altered, or moved here from another row
 */
export function openPrivateKey(secrets: Secrets, row: SigningKeyRow): SigningKey {
  const der = unseal(allSecrets(secrets), sealContext(row.kid), row.sealedPrivateKey)
  if (!der)
    throw new KeyringError(
      'SECRET_KEY is not the one this database was set up with, so its signing key cannot be opened. Start with the former SECRET_KEY, or set it as SECRET_KEY_PREVIOUS beside the new one. If it is lost for good, see “The keys that sign” in the README.',
    )
  return importPrivateKey(row.alg as PublicKeyAlgorithm, der)
}

/**
 * Asserts that these secrets open every private key that is stored, before another is sealed beside them.
 * @throws KeyringError
 */
export function requireSecrets(secrets: Secrets, rows: readonly SigningKeyRow[]): void {
  for (const row of rows) if (row.sealedPrivateKey !== '') openPrivateKey(secrets, row)
}

/** Seals with SECRET_KEY what is still sealed with SECRET_KEY_PREVIOUS, so that it can be given up. */
export async function renewSeals(
  { config, store: db, random }: { config: Secrets; store: Db; random: Random },
  rows: readonly SigningKeyRow[],
): Promise<void> {
  for (const row of rows) {
    const { kid, sealedPrivateKey: from } = row
    if (from === '' || sealedWith(from) === secretId(config.SECRET_KEY)) continue
    const to = seal(config.SECRET_KEY, sealContext(kid), exportPrivateKey(openPrivateKey(config, row)), random)
    await store.replaceSeal(db, { kid, from, to })
  }
}

const allSecrets = ({ SECRET_KEY, SECRET_KEY_PREVIOUS }: Secrets): string[] =>
  SECRET_KEY_PREVIOUS === undefined ? [SECRET_KEY] : [SECRET_KEY, SECRET_KEY_PREVIOUS]
