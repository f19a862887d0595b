import type { Clock } from '../../lib/clock.ts'
import type { Log } from '../../lib/log.ts'
import { readBcryptHash } from './bcrypt-hash.ts'
import { type HashProblem, readForeignHash } from './foreign-hash.ts'
import type { HashGateStats } from './hash-gate.ts'
import { type Bcrypt, createHashing } from './hashing.ts'
import { type Weakness, weaknessOf } from './policy.ts'

export { readBcryptHash } from './bcrypt-hash.ts'
export type { Bcrypt } from './hashing.ts'
export type { Weakness, WeaknessReason } from './policy.ts'

/**
 * How a password was hashed. For bcrypt, which reads at most 72 bytes, the text of the hash does not show this.
 * - `bun-bcrypt`: Keyward changed the password to Unicode NFC. If the result had more than 72 bytes, `Bun.password`
 *   replaced it by its SHA-512.
 * - `bcrypt`: another service hashed the first 72 bytes of the password, without NFC. An import takes over such hashes.
 * - `foreign`: another service hashed the whole password, without NFC, with the algorithm that the hash names: Argon2,
 *   scrypt, PBKDF2 or Firebase's scrypt. An import takes over such hashes, too.
 */
export type PasswordScheme = 'bun-bcrypt' | 'bcrypt' | 'foreign'

/** The stored password of a user. `hash` and `scheme` are null for an account without a password. */
export interface StoredPassword {
  hash: string | null
  /** A `PasswordScheme`. A hash of any other scheme counts as unusable. */
  scheme: string | null
  /** True when the account is inactive. `verify` then refuses the right password too, after the same time. */
  isOfInactive?: boolean
}

export interface PasswordHash {
  hash: string
  scheme: PasswordScheme
}

/**
 * Reads a password hash of another service, which an import is to store.
 * @param scheme `bun-bcrypt` for a bcrypt hash that Keyward itself has made; any other text has no effect
 * @returns the text and the scheme to store, or the problem as a sentence for the terminal, which contains no part of
 *   the hash
 */
export function readImportedHash(stored: string, scheme?: string): PasswordHash | { problem: string } {
  // Django writes the name of the algorithm before a hash of bcrypt.
  const text = stored.replace(/^bcrypt\$(?=\$)/, '')
  if (readBcryptHash(text)) return { hash: text, scheme: scheme === 'bun-bcrypt' ? scheme : 'bcrypt' }
  if (/^\$2/.test(text)) return { problem: 'the password hash is not bcrypt ($2a$, $2b$ or $2y$, cost 4 to 15)' }
  const read = readForeignHash(text)
  return typeof read === 'string' ? { problem: hashProblems[read] } : { hash: read.hash, scheme: 'foreign' }
}

const hashProblems: Record<HashProblem, string> = {
  unknown: 'the password hash is not bcrypt, Argon2, scrypt or PBKDF2 in a spelling that Keyward reads',
  malformed: 'the password hash is malformed',
  costly: 'the password hash needs more time or memory than Keyward allows',
}

/**
 * The client and the typed name for which a password is hashed. Each may hold only a share of the places in the hash
 * gate. Commands of the command line set neither, so no share limits their hashes.
 */
export interface HashRequester {
  /** The client's network: an IPv4 address or an IPv6 /64. */
  client?: string
  /** The result of `Limits.nameKey` for the typed name, whether an account has this name or not. */
  name?: string
}

export interface PasswordsNeeds {
  clock: Clock
  log?: Log
  /** The least number of code points in a new password. */
  minLength: number
  /** The bcrypt cost of new hashes: log2 of the number of rounds. */
  cost: number
  /** The longest estimated wait for a hash, in milliseconds. When the estimate is longer, the request is refused. */
  maxWaitMs: number
  /** How much is added to the niceness of the process for the hashing threads, 0 to 19. */
  nice: number
  /** True when each client and each typed name may hold only a share of the places in the hash gate. */
  fairness: boolean
  /** How many hashes run at the same time; the number of cores by default. */
  concurrency?: number
  bcrypt?: Bcrypt
}

export interface Passwords {
  /**
   * Checks a new password, which must not be the username or the address of its `owner`.
   * @returns the reason, and a sentence for the user that never contains the password; undefined for an acceptable
   *   password
   */
  weaknessOf(password: string, owner: { email?: string; username?: string }): Weakness | undefined
  /**
   * Hashes a password that `weaknessOf` accepted.
   * @throws KeywardError `overloaded`; `validation_failed` for the empty text, for a text of more than 256 code points,
   *   and for a text with NUL or a lone surrogate
   */
  hash(password: string, requester?: HashRequester): Promise<PasswordHash>
  /**
   * Verifies a password with the stored hash. Every answer with `ok: false` takes the same time: for an unknown
   * account, a missing or unusable hash, an inactive account, a wrong password, and a text that cannot be a password.
   * Only a hash that is dearer than one at `PasswordsNeeds.cost` takes longer.
   * @returns `ok` is true when the password is right and the account is active. `rehash` is true when `ok` is true, but
   *   the hash does not have the current cost, scheme and version
   * @throws KeywardError `overloaded`
   */
  verify(
    password: string,
    stored: StoredPassword | undefined,
    requester?: HashRequester,
  ): Promise<{ ok: boolean; rehash: boolean }>
  stats(): HashGateStats
}

export const createPasswords = (needs: PasswordsNeeds): Passwords => ({
  weaknessOf: (password, owner) => weaknessOf(password, { ...owner, minLength: needs.minLength }),
  ...createHashing(needs),
})
