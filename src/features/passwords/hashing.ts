import { availableParallelism } from 'node:os'
import { invalidField } from '../../errors.ts'
import { utf8 } from '../../lib/encoding.ts'
import { errorFields } from '../../lib/log.ts'
import { type BcryptHash, readBcryptHash } from './bcrypt-hash.ts'
import { createForeignVerifier, type ForeignHash, readForeignHash } from './foreign-hash.ts'
import { createHashGate } from './hash-gate.ts'
import { createHashPriority } from './hash-priority.ts'
import type { HashRequester, Passwords, PasswordsNeeds, StoredPassword } from './passwords.ts'
import { normalizePassword } from './policy.ts'

export interface Bcrypt {
  hash(password: string, cost: number): Promise<string>
  verify(password: string | Uint8Array, hash: string): Promise<boolean>
}

/**
 * Hashes and verifies passwords. Each hash and each verification waits in the hash gate, also for an unknown account.
 */
export function createHashing({
  cost,
  maxWaitMs,
  nice,
  fairness,
  clock,
  log,
  concurrency = availableParallelism(),
  bcrypt = bunBcrypt,
}: Omit<PasswordsNeeds, 'minLength'>): Pick<Passwords, 'hash' | 'verify' | 'stats'> {
  // A hash at cost 10 takes 60 ms on a core of the year 2020. Each step of the cost doubles the time.
  const expectedMs = 60 * 2 ** (cost - 10)
  const gate = createHashGate({ concurrency, maxWaitMs, fairness, clock, expectedMs })
  const lowerPriority = createHashPriority({ nice, log })

  const foreign = createForeignVerifier()
  /** How long one hash at `cost` takes now, in milliseconds: a moving average. */
  let bcryptMs = expectedMs

  const inTurn = <T>(requester: HashRequester | undefined, work: () => Promise<T>): Promise<T> =>
    gate.run(requester ?? {}, async () => {
      try {
        return await work()
      } finally {
        lowerPriority()
      }
    })

  /**
   * Adds hashes after a verification at cost `spent`, until all together took as long as one verification at `cost`.
   * The time of a refusal then does not show the cost of the stored hash. Each step of the cost doubles the time: a
   * verification at 10, a hash at 10 and a hash at 11 take as long as a verification at 12.
   */
  const spendTheRest = async (spent: number): Promise<void> => {
    for (let step = spent; step < cost; step++) await bcrypt.hash('nobody', step)
  }
  const hashAtCost = async (password: string): Promise<string> => {
    const startedAt = clock.monotonic()
    const hash = await bcrypt.hash(password, cost)
    bcryptMs += (clock.monotonic() - startedAt - bcryptMs) / 8
    return hash
  }
  const spendAll = () => hashAtCost('nobody')
  /**
   * Adds hashes after a verification of another algorithm, which took `spentMs`, until both together took about as long
   * as one verification at `cost`. Each step below `cost` takes half as long as the step above it.
   */
  const spendUntilCost = async (spentMs: number): Promise<void> => {
    if (spentMs === 0) return void (await spendAll())
    let restMs = bcryptMs - spentMs
    for (let step = cost - 1; step >= 4; step--) {
      const ms = bcryptMs / 2 ** (cost - step)
      if (ms > restMs) continue
      await bcrypt.hash('nobody', step)
      restMs -= ms
    }
  }

  return {
    async hash(password, requester) {
      const normalized = normalizePassword(password)
      if (normalized === undefined) throw invalidField('password', 'The password is not acceptable')
      return inTurn(requester, async () => ({ hash: await hashAtCost(normalized), scheme: 'bun-bcrypt' }))
    },

    verify: (password, stored, requester) =>
      inTurn(requester, async () => {
        const refused = { ok: false, rehash: false }
        const normalized = normalizePassword(password)
        const usable = usableHash(stored)
        if (stored?.hash && !usable) log?.warn('password_hash_unusable')
        if (normalized === undefined || !usable) {
          await spendAll()
          return refused
        }
        let ok: boolean
        const startedAt = clock.monotonic()
        try {
          if (usable.scheme === 'foreign') ok = await foreign(usable, utf8(password))
          else {
            // Other libraries hashed the first 72 UTF-8 bytes of the password, without NFC.
            const input = usable.scheme === 'bcrypt' ? utf8(password).subarray(0, 72) : normalized
            ok = await bcrypt.verify(input, usable.hash)
          }
        } catch (error) {
          log?.warn('password_hash_unusable', errorFields(error))
          await spendAll()
          return refused
        }
        if (!ok || stored?.isOfInactive) {
          if (usable.scheme === 'foreign') await spendUntilCost(clock.monotonic() - startedAt)
          else await spendTheRest(usable.cost)
          return refused
        }
        if (usable.scheme === 'foreign') return { ok, rehash: true }
        return { ok, rehash: usable.cost !== cost || usable.scheme === 'bcrypt' || usable.version !== '2b' }
      }),

    stats: gate.stats,
  }
}

const bunBcrypt: Bcrypt = {
  hash: (password, cost) => Bun.password.hash(password, { algorithm: 'bcrypt', cost }),
  verify: (password, hash) => Bun.password.verify(password, hash),
}

interface UsableBcrypt extends BcryptHash {
  hash: string
  scheme: 'bun-bcrypt' | 'bcrypt'
}

type UsableHash = UsableBcrypt | (ForeignHash & { scheme: 'foreign' })

function usableHash(stored: StoredPassword | undefined): UsableHash | undefined {
  if (!stored?.hash) return undefined
  if (stored.scheme === 'foreign') {
    const read = readForeignHash(stored.hash)
    return typeof read === 'string' ? undefined : { ...read, scheme: 'foreign' }
  }
  if (stored.scheme !== 'bun-bcrypt' && stored.scheme !== 'bcrypt') return undefined
  const head = readBcryptHash(stored.hash)
  return head && { ...head, hash: stored.hash, scheme: stored.scheme }
}
