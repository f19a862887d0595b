import type { Clock, EpochMs } from '../../lib/clock.ts'
import type { Log } from '../../lib/log.ts'
import type { Random } from '../../lib/random.ts'
import type { Store } from '../../storage/store.ts'
import type { Audit } from '../audit/audit.ts'
import type { RootSecrets, Secrets } from '../secrets/secrets.ts'
import { inspectKeys, type SigningKeysFound } from './inspect.ts'
import type { PublicKeyAlgorithm, SignatureAlgorithm } from './jwk.ts'
import { type Keyring, openKeyring } from './keyring.ts'
import { maintainKeys, pollKeys } from './maintain.ts'
import { ensuringIdTokenKey, prepareKeys } from './prepare.ts'
import { type Revocation, revokeKey } from './revoke.ts'
import { type Rotation, rotateKeys } from './rotate.ts'
import { type SigningKeyRow, summaryOf } from './signing-key.ts'
import * as store from './store.ts'

export type { SigningKeysFound } from './inspect.ts'
export {
  exportPrivateKey,
  importPrivateKey,
  type PublicKeyAlgorithm,
  publicKeyAlgorithms,
  type SigningKey,
  type VerificationKey,
} from './jwk.ts'
export type { Revocation } from './revoke.ts'
export type { Rotation } from './rotate.ts'
export { JWKS_MAX_AGE_SECONDS, KEY_POLL_INTERVAL } from './signing-key.ts'

export interface SigningKeysNeeds {
  store: Store
  clock: Clock
  random: Random
  log: Log
  audit: Audit
  secrets: Secrets
  settings: SigningKeysSettings
  /** Undefined for a change that a command or Keyward itself makes. */
  by?: KeyChanger
}

interface SigningKeysSettings {
  /** The algorithm that this process wants for the active key (`JWT_ALG`). */
  alg: SignatureAlgorithm
  /** `JWT_SECRET`, the key of HS256. */
  hmacSecret: string | undefined
  /** Lifetime of the access tokens that are signed, in milliseconds. */
  tokenLifetime: number
  /** Lifetime of the ID tokens that are signed, in milliseconds. */
  idTokenLifetime: number
  /** The age in days at which the active key is replaced; 0 for never. */
  rotationDays: number
}

/** The public facts of a signing key. */
export interface KeySummary extends Pick<SigningKeyRow, 'kid' | 'alg' | 'state' | KeyTime> {
  /** What the key signs or will sign; null for a retired or revoked key. */
  signs: 'access_tokens' | 'id_tokens' | null
  /** From when a next key may sign; null in another state. */
  readyAt: EpochMs | null
  /** When the active key is due to be rotated; null in another state, with HS256, and without rotation. */
  rotatesAt: EpochMs | null
}

type KeyTime = 'createdAt' | 'activatedAt' | 'retiredAt' | 'expiresAt' | 'revokedAt'

/** The administrator who changes the keys over HTTP, and the address of the request. */
export interface KeyChanger {
  actorId: number
  ip: string
  /** Runs first in the transaction of the change. An error refuses the change. */
  allow: () => Promise<void>
}

/** The keys that sign and verify access tokens, and those for ID tokens and logout tokens. Other processes follow a change within 30 s. */
export interface SigningKeys extends Keyring {
  /**
   * All stored signing keys, oldest first. A key is stored for 30 days after it expired or was revoked; a revoked
   * JWT_SECRET is stored forever.
   */
  list(): Promise<KeySummary[]>
  /**
   * Activates the published next key and publishes a new next key. The former active key stays in the JWKS until its
   * last token has expired.
   * @param options.idTokens rotates the key of the ID tokens with this algorithm instead of that of access tokens
   * @param options.early true to rotate even when services may have cached a JWKS without the next key
   * @throws KeywardError `key_not_ready` without `early`, `key_not_rotatable` with JWT_ALG=HS256, `keys_changed` when
   *   another process changed the keys first, `key_not_found` when no key signs such ID tokens; the error of `by.allow`
   * @throws KeyringError when SECRET_KEY does not open the stored keys
   */
  rotate(options?: { early?: boolean; idTokens?: PublicKeyAlgorithm; by?: KeyChanger }): Promise<Rotation>
  /**
   * Revokes a key. This process at once refuses access tokens of the key and removes the key from the JWKS. If the key
   * was active, the same transaction activates the next key, or a new key. Refresh tokens stay valid.
   * @throws KeywardError `key_not_found`, `key_not_rotatable` for the active JWT_SECRET, `keys_changed` when another
   *   process changed the keys first; the error of `by.allow`
   * @throws KeyringError when SECRET_KEY does not open the stored keys
   */
  revoke(kid: string, options?: { by?: KeyChanger }): Promise<Revocation>
  /**
   * Makes the keys for ID tokens and logout tokens of an algorithm, if there are none, so that `forIdTokens` has one.
   * From then on they are rotated and kept as the key of access tokens is. Call this function outside transactions: it
   * waits for the database, and the generation of RSA keys takes hundreds of milliseconds.
   * @throws KeyringError when SECRET_KEY does not open the stored keys
   */
  ensureIdTokenKey(alg: PublicKeyAlgorithm): Promise<void>
  /**
   * Reads the changes of other processes. After a change of JWT_ALG, `poll` also rotates, as soon as the next key of
   * the new algorithm may sign. Every server calls `poll` every 10 s.
   */
  poll(): Promise<void>
  /**
   * Adds missing keys, renews seals, rotates each active key of the age `rotationDays` (not HS256), and deletes old
   * keys. The server that has the lease calls `maintain` every minute.
   */
  maintain(): Promise<void>
}

/** Finds out which stored signing keys these secrets open, and which key signs. Writes nothing. */
export const inspectSigningKeys = (
  needs: Pick<SigningKeysNeeds, 'store' | 'settings'> & { secrets: RootSecrets },
): Promise<SigningKeysFound> => inspectKeys(needs)

/**
 * Opens the signing keys.
 * @param options.prepare true to make the stored keys fit this configuration, and to create missing keys. A command
 *   passes false, because its settings may differ from the server's settings.
 * @throws KeyringError when no secret opens the key to sign with. With `prepare` also when no secret opens another
 *   stored key, when JWT_SECRET was revoked, or when other processes keep changing the keys
 */
export async function openSigningKeys(needs: SigningKeysNeeds, { prepare = true } = {}): Promise<SigningKeys> {
  if (prepare) await prepareKeys(needs)
  const keyring = await openKeyring(needs)
  return {
    ...keyring,
    async list() {
      const rows = await store.all(needs.store)
      return rows.map((row) => summaryOf(row, needs.settings.rotationDays))
    },
    rotate: ({ early, idTokens, by } = {}) => rotateKeys({ ...needs, by }, keyring, { early, idTokens }),
    revoke: (kid, { by } = {}) => revokeKey({ ...needs, by }, keyring, kid),
    ensureIdTokenKey: ensuringIdTokenKey(needs, keyring),
    poll: () => pollKeys(needs, keyring),
    maintain: () => maintainKeys(needs, keyring),
  }
}
