import { availableParallelism } from 'node:os'
import { invalidField } from '../../errors.ts'
import type { Clock } from '../../lib/clock.ts'
import { utf8 } from '../../lib/encoding.ts'
import { errorFields, type Log } from '../../lib/log.ts'
import { createHashGate, type HashGateStats } from './hash-gate.ts'
import { createHashPriority } from './hash-priority.ts'
import { normalizePassword } from './policy.ts'

/**
 * What became of a password over 72 bytes before bcrypt, which reads no more; nothing in the hash tells.
 * `bun-bcrypt`: Bun.password put its SHA-512 in its place. `bcrypt`: another library cut it there.
 */
export type PasswordScheme = 'bun-bcrypt' | 'bcrypt'

/** What a row says of a password: both `null` for an account without one. */
export interface StoredPassword {
  hash: string | null
  scheme: string | null
}

export interface Bcrypt {
  hash(password: string, cost: number): Promise<string>
  verify(password: string | Uint8Array, hash: string): Promise<boolean>
}

export interface PasswordsOptions {
  /** bcrypt cost of new hashes. */
  cost: number
  maxWaitMs: number
  nice: number
  fairness: boolean
  clock: Clock
  log?: Log
  concurrency?: number
  bcrypt?: Bcrypt
}

export interface Passwords {
  /**
   * Hashes a password that `checkPassword` let pass, for the columns `password_hash` and `password_scheme`.
   * `client` is the address prefix of who asks.
   * @throws KeywardError `overloaded`; `validation_failed` for what is no password at all
   */
  hash(password: string, client?: string): Promise<{ hash: string; scheme: PasswordScheme }>
  /**
   * Whether `password` is the one stored. No account, no hash, an unusable hash, a password that nobody can have and
   * a wrong one all take the same time; only a hash of a higher cost than is set now takes longer.
   * `rehash` says that the password was right and should be hashed again and stored: the cost has changed, or the
   * hash is another library's.
   * @throws KeywardError `overloaded`
   */
  verify(
    password: string,
    stored: StoredPassword | undefined,
    client?: string,
  ): Promise<{ ok: boolean; rehash: boolean }>
  stats(): HashGateStats
}

/** All hashing and verifying of passwords; every computation, those for nothing too, goes through one gate. */
export function createPasswords({
  cost,
  maxWaitMs,
  nice,
  fairness,
  clock,
  log,
  concurrency = availableParallelism(),
  bcrypt = bunBcrypt,
}: PasswordsOptions): Passwords {
  const gate = createHashGate({ concurrency, maxWaitMs, fairness, clock, expectedMs: expectedMs(cost) })
  const lowerPriority = createHashPriority({ nice, log })

  const inTurn = <T>(client: string | undefined, work: () => Promise<T>): Promise<T> =>
    gate.run(client, async () => {
      try {
        return await work()
      } finally {
        lowerPriority()
      }
    })

  /**
   * Spends what a verification at the set cost takes beyond one at `spent`. To bcrypt, hashing is the same work as
   * verifying, and each step of the cost doubles it: after one at 10, one more at 10 and one at 11 add up to 12.
   */
  const spendTheRest = async (spent: number): Promise<void> => {
    for (let step = spent; step < cost; step++) await bcrypt.hash('nobody', step)
  }
  const spendAll = () => bcrypt.hash('nobody', cost)

  return {
    async hash(password, client) {
      const normalized = normalizePassword(password)
      if (normalized === undefined) throw invalidField('password', 'The password is not acceptable')
      return inTurn(client, async () => ({ hash: await bcrypt.hash(normalized, cost), scheme: 'bun-bcrypt' }))
    },

    verify: (password, stored, client) =>
      inTurn(client, async () => {
        const refused = { ok: false, rehash: false }
        const normalized = normalizePassword(password)
        const usable = usableHash(stored)
        if (stored?.hash && !usable) log?.warn('password_hash_unusable')
        if (normalized === undefined || !usable) {
          await spendAll()
          return refused
        }
        let ok: boolean
        try {
          // Another library hashed what was typed then, so what is typed now is not normalised for it either.
          const input = usable.scheme === 'bcrypt' ? utf8(password).subarray(0, 72) : normalized
          ok = await bcrypt.verify(input, usable.hash)
        } catch (error) {
          log?.warn('password_hash_unusable', errorFields(error))
          await spendAll()
          return refused
        }
        if (!ok) {
          await spendTheRest(usable.cost)
          return refused
        }
        return { ok, rehash: usable.cost !== cost || usable.scheme === 'bcrypt' || usable.version !== '2b' }
      }),

    stats: gate.stats,
  }
}

const bunBcrypt: Bcrypt = {
  hash: (password, cost) => Bun.password.hash(password, { algorithm: 'bcrypt', cost }),
  verify: (password, hash) => Bun.password.verify(password, hash),
}

/** 60 ms at cost 10 is what a core of 2020 takes; the gate measures from the first hash on. */
const expectedMs = (cost: number): number => 60 * 2 ** (cost - 10)

export interface BcryptHash {
  version: '2a' | '2b' | '2y'
  /** log2 of the rounds, 4 to 15. */
  cost: number
}

/**
 * Reads the head of a bcrypt hash that Keyward verifies: `$2a$`, `$2b$` or `$2y$`, whole and canonically encoded, of a
 * cost up to 15. `undefined` for all else, without computing anything: `$2x$` and `$2$` were made by faulty code, and
 * one verification at cost 31 would hold a core for more than a day. An import refuses what this refuses.
 */
export function readBcryptHash(hash: string): BcryptHash | undefined {
  const [, version, cost] = bcryptPattern.exec(hash) ?? []
  const rounds = Number(cost)
  return version !== undefined && rounds >= 4 && rounds <= 15
    ? { version: version as BcryptHash['version'], cost: rounds }
    : undefined
}

// 22 characters for 16 bytes of salt, 31 for 23 bytes of hash: the last of each has bits to spare, which must be zero.
const bcryptPattern = /^\$(2[aby])\$(\d\d)\$[./A-Za-z0-9]{21}[.Oeu][./A-Za-z0-9]{30}[.CGKOSWaeimquy26]$/

interface UsableHash extends BcryptHash {
  hash: string
  scheme: PasswordScheme
}

function usableHash(stored: StoredPassword | undefined): UsableHash | undefined {
  if (!stored?.hash || (stored.scheme !== 'bun-bcrypt' && stored.scheme !== 'bcrypt')) return undefined
  const head = readBcryptHash(stored.hash)
  return head && { ...head, hash: stored.hash, scheme: stored.scheme }
}
