import type { EpochMs } from '../../lib/clock.ts'

/** A token whose signature and claims were valid. Many requests share it, so it must not be changed. */
export interface VerifiedToken<Claims> {
  readonly claims: Readonly<Claims>
  /** The `kid` of the key that signed the token, for `dropKey`. */
  readonly kid: string
  readonly notBefore: EpochMs
  /** The token is invalid from this time on. */
  readonly expiresAt: EpochMs
}

/**
 * Caches verified tokens. A signature is then verified once per token and not once per request. A token that `get`
 * returns has a valid signature and is not expired, but its session may have ended. Each request must check the session
 * and the user.
 */
interface VerifiedCache<Claims> {
  /** The token if it is cached and valid at `now`. `notBefore` is checked too, because a clock can be set back. */
  get(token: string, now: EpochMs): VerifiedToken<Claims> | undefined
  set(token: string, verified: VerifiedToken<Claims>): void
  /** Removes every token that the key `kid` signed, because the key is no longer accepted. */
  dropKey(kid: string): void
  readonly size: number
}

interface Entry<Claims> {
  readonly verified: VerifiedToken<Claims>
  /** The value of the cache's `appended` right after the token was last appended. */
  since: number
}

/** A longer token takes several places. Otherwise long tokens could fill the memory. */
const CHARACTERS_PER_PLACE = 1024

/**
 * Creates a cache with `capacity` places. A token takes one place per started KiB. 10,000 places are about 10 MB of
 * tokens, and a few times as much with their claims. The key is the whole token, so two tokens never share an entry.
 *
 * A full cache removes the tokens at the front first. A hit moves its token to the end only when half of the cache was
 * filled after the token. Nearly every hit is therefore a single look-up (0.1 µs), and the order is roughly that of the
 * last uses.
 */
export function createVerifiedCache<Claims>(capacity = 10_000): VerifiedCache<Claims> {
  // A Map iterates in the order of insertion, so its first key is the next token to remove.
  const entries = new Map<string, Entry<Claims>>()
  let taken = 0
  // The places of all tokens that were ever appended. It only grows, unlike `taken`.
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
