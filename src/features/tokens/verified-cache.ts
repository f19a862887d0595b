import type { EpochMs } from '../../lib/clock.ts'

/** A token whose signature and claims held. It is handed to many requests, so nobody may change it. */
export interface VerifiedToken<Claims> {
  readonly claims: Readonly<Claims>
  /** The key that verified it, for `dropKey`. */
  readonly kid: string
  readonly notBefore: EpochMs
  /** From this moment on the token is dead. */
  readonly expiresAt: EpochMs
}

/**
 * Remembers tokens that were verified, so that a signature is checked once per token and not once per request.
 * It says that the token is genuine and in time, nothing more: session, user and revocation are still read each time.
 */
export interface VerifiedCache<Claims> {
  /** The token if it is known and valid at `now`, also after the clock was set back. */
  get(token: string, now: EpochMs): VerifiedToken<Claims> | undefined
  set(token: string, verified: VerifiedToken<Claims>): void
  /** Forgets every token of a key that was revoked. */
  dropKey(kid: string): void
  readonly size: number
}

interface Place<Claims> {
  readonly verified: VerifiedToken<Claims>
  /** The cache's counter when the token was put at the end. */
  since: number
}

/** Text that one place is reckoned for; a longer token takes several, so long ones cannot fill the memory. */
const CHARACTERS_PER_PLACE = 1024

/**
 * A cache of `capacity` places, one per begun KiB of token: at 10,000 about 10 MB of tokens and a few times that with
 * their claims. The key is the whole token: no prefix or hash of it can stand for another.
 * When it is full the longest unused go first, roughly: a hit moves a token to the end only once half the cache has
 * been filled behind it, so that nearly every hit is a single look-up (0.1 µs).
 */
export function createVerifiedCache<Claims>(capacity = 10_000): VerifiedCache<Claims> {
  // A Map iterates in the order of insertion: its first key is the next to go.
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
