import type { EpochMs } from '../../lib/clock.ts'

/** A token whose signature and claims were valid. Many requests share it, so it must not be changed. */
export interface VerifiedToken<Claims> {
  readonly claims: Readonly<Claims>
  /** The key that verified it, for `dropKey`. */
  readonly kid: string
  readonly notBefore: EpochMs
  /** The token is invalid from this time on. */
  readonly expiresAt: EpochMs
}

/**
 * Remembers verified tokens, so that a signature is checked once per token and not once per request. A known token is
 * genuine and not expired, no more: session, user and revocation are still read each time.
 */
interface VerifiedCache<Claims> {
  /** The token if it is known and valid at `now`, also when the clock was set back. */
  get(token: string, now: EpochMs): VerifiedToken<Claims> | undefined
  set(token: string, verified: VerifiedToken<Claims>): void
  /** Forgets every token of a key that was revoked. */
  dropKey(kid: string): void
  readonly size: number
}

interface Place<Claims> {
  readonly verified: VerifiedToken<Claims>
  /** The cache's counter when the token was appended. */
  since: number
}

/** A longer token takes several places, so that long tokens cannot fill the memory. */
const CHARACTERS_PER_PLACE = 1024

/**
 * A cache of `capacity` places, one per begun KiB of token: at 10,000 about 10 MB of tokens and a few times that with
 * their claims. The key is the whole token: no prefix or hash of it can stand for another.
 * A full cache drops roughly the tokens that were not used for the longest time: a hit appends a token again only after
 * half of the cache was filled behind it, so that nearly every hit is a single look-up (0.1 µs).
 */
export function createVerifiedCache<Claims>(capacity = 10_000): VerifiedCache<Claims> {
  // A Map iterates in the order of insertion: its first key is dropped next.
  const places = new Map<string, Place<Claims>>()
  let taken = 0
  let counter = 0

  const append = (token: string, place: Place<Claims>): void => {
    const cost = placesOf(token)
    taken += cost
    counter += cost
    place.since = counter
    places.set(token, place)
  }
  const drop = (token: string): void => {
    if (places.delete(token)) taken -= placesOf(token)
  }

  return {
    get(token, now) {
      const place = places.get(token)
      if (place === undefined) return undefined
      const { verified } = place
      if (now >= verified.expiresAt || now < verified.notBefore) {
        drop(token)
        return undefined
      }
      if (counter - place.since > capacity / 2) {
        drop(token)
        append(token, place)
      }
      return verified
    },
    set(token, verified) {
      drop(token)
      if (placesOf(token) > capacity) return
      append(token, { verified, since: 0 })
      for (const oldest of places.keys()) {
        if (taken <= capacity) break
        drop(oldest)
      }
    },
    dropKey(kid) {
      for (const [token, { verified }] of places) if (verified.kid === kid) drop(token)
    },
    get size() {
      return places.size
    },
  }
}

const placesOf = (token: string): number => Math.ceil(token.length / CHARACTERS_PER_PLACE) || 1
