import type { EpochMs } from '../../lib/clock.ts'

/** A token whose signature and claims were valid. Many requests share one object, so do not change the object. */
export interface VerifiedToken<Claims> {
  readonly claims: Readonly<Claims>
  /** The `kid` of the key that signed the token, for `dropKey`. */
  readonly kid: string
  readonly notBefore: EpochMs
  /** The token is invalid from this time on. */
  readonly expiresAt: EpochMs
}

/**
 * Caches verified tokens. A signature is then verified once per token, not once per request. A token that `get` returns
 * has a valid signature and is not expired, but its session may have ended. Each request must check the session and the
 * user.
 */
interface VerifiedCache<Claims> {
  /**
   * Returns a cached token; undefined when the token is not cached or not valid at `now`. `notBefore` is checked too,
   * because a clock can be set back.
   */
  get(token: string, now: EpochMs): VerifiedToken<Claims> | undefined
  set(token: string, verified: VerifiedToken<Claims>): void
  /** Removes every token that the key `kid` signed. Call `dropKey` when the key is no longer accepted. */
  dropKey(kid: string): void
  readonly size: number
}

interface Entry<Claims> {
  readonly verified: VerifiedToken<Claims>
  /** The value of the cache's `appended` right after the token was last appended. */
  since: number
}

/**
 * A token takes one place per started 1024 characters. If every token took one place, long tokens could fill memory.
 */
const CHARACTERS_PER_PLACE = 1024

/**
 * Creates a cache with `capacity` places. A token takes one place per started KiB. 10,000 places are at most about 10
 * MB of tokens, and a few times as much with the claims. The key of an entry is the whole token, so two tokens never
 * share an entry.
 *
 * A full cache first removes the tokens that were appended longest ago. A hit appends its token again only when tokens
 * for half of the capacity were appended since. Nearly every hit is therefore a single look-up (0.1 µs), and the order
 * is roughly the order of the last uses.
 */
export function createVerifiedCache<Claims>(capacity = 10_000): VerifiedCache<Claims> {
  // A Map iterates in the order of insertion, so its first key is the next token to remove.
  const entries = new Map<string, Entry<Claims>>()
  let taken = 0
  // The places of all tokens that were ever appended. Unlike `taken`, this number only grows.
  let appended = 0

  const append = (token: string, entry: Entry<Claims>): void => {
    const cost = placesOf(token)
    taken += cost
    appended += cost
    entry.since = appended
    entries.set(token, entry)
  }
  const drop = (token: string): void => {
    if (entries.delete(token)) taken -= placesOf(token)
  }

  return {
    get(token, now) {
      const entry = entries.get(token)
      if (entry === undefined) return undefined
      const { verified } = entry
      if (now >= verified.expiresAt || now < verified.notBefore) {
        drop(token)
        return undefined
      }
      if (appended - entry.since > capacity / 2) {
        drop(token)
        append(token, entry)
      }
      return verified
    },
    set(token, verified) {
      drop(token)
      if (placesOf(token) > capacity) return
      append(token, { verified, since: 0 })
      for (const oldest of entries.keys()) {
        if (taken <= capacity) break
        drop(oldest)
      }
    },
    dropKey(kid) {
      for (const [token, { verified }] of entries) if (verified.kid === kid) drop(token)
    },
    get size() {
      return entries.size
    },
  }
}

const placesOf = (token: string): number => Math.ceil(token.length / CHARACTERS_PER_PLACE) || 1
