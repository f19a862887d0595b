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
