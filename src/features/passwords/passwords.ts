import type { Clock } from '../../lib/clock.ts'
import type { Log } from '../../lib/log.ts'
import type { HashGateStats } from './hash-gate.ts'
import { type Bcrypt, createHashing } from './hashing.ts'
import { weaknessOf } from './policy.ts'

export { readBcryptHash } from './bcrypt-hash.ts'
export type { Bcrypt } from './hashing.ts'

/**
 * How a password of more than 72 bytes was shortened before bcrypt, which reads at most 72 bytes. The hash does not
 * show which way was used.
 * - `bun-bcrypt`: Bun.password replaced the password by its SHA-512.
 * - `bcrypt`: another library cut the password after 72 bytes.
 */
export type PasswordScheme = 'bun-bcrypt' | 'bcrypt'

/** The password columns of a user; both are null for an account without a password. */
export interface StoredPassword {
  hash: string | null
  scheme: string | null
  /** True when the account is inactive: then the right password is refused, as late as a wrong one. */
  isOfInactive?: boolean
}

interface PasswordHash {
  hash: string
  scheme: PasswordScheme
}

/** For whom a password is hashed. Each key has its share of the hash gate; the command line has no keys. */
export interface HashRequester {
  /** The client's network. */
  client?: string
  /** The key of the typed name, of an unknown one too; as from `Limits.nameKey`. */
  name?: string
}

export interface PasswordsNeeds {
  clock: Clock
  log?: Log
  /** The least number of code points in a new password. */
  minLength: number
  /** bcrypt cost of new hashes: log2 of the rounds. */
  cost: number
  /** The longest estimated wait for a hash, in milliseconds. When the estimate is longer, the request is refused. */
  maxWaitMs: number
  /** By how much the niceness of the hashing threads exceeds that of the process, 0 to 19. */
  nice: number
  /** True when each client and each name gets only its share of the places in the hash gate. */
  fairness: boolean
  /** How many hashes run at once; the number of cores by default. */
  concurrency?: number
  bcrypt?: Bcrypt
}

export interface Passwords {
  /**
   * Checks a new password.
   * @returns a sentence for the user, which never contains the password; undefined for an acceptable one
   */
  weaknessOf(password: string, owner: { email?: string; username?: string }): string | undefined
  /**
   * Hashes a password that `weaknessOf` accepted.
   * @throws KeywardError `overloaded`; `validation_failed` for a text that cannot be a password
   */
  hash(password: string, requester?: HashRequester): Promise<PasswordHash>
  /**
   * Verifies a password with the stored hash. Every answer with `ok: false` takes the same time, whether the account or
   * its hash is missing, the hash is unusable, the account is inactive, or the password is wrong or impossible. Only a hash with a cost above
   * `cost` takes longer.
   * @returns `ok` is true when the password is right. `rehash` is true when the password is right, but its hash has an
   *   old cost, scheme or version
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
