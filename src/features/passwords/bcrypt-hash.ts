export interface BcryptHash {
  version: '2a' | '2b' | '2y'
  /** log2 of the rounds, 4 to 15. */
  cost: number
}

/**
 * Reads the version and the cost of a bcrypt hash: `$2a$`, `$2b$` or `$2y$`, in canonical encoding, with a cost of 4 to
 * 15. Other versions (`$2x$`, `$2$`) come from faulty implementations. One verification at cost 31 would occupy a core
 * for more than a day.
 * @returns undefined for any other text. Keyward does not verify such a hash, and an import refuses it
 */
export function readBcryptHash(hash: string): BcryptHash | undefined {
  const [, version, cost] = bcryptPattern.exec(hash) ?? []
  const rounds = Number(cost)
  return version !== undefined && rounds >= 4 && rounds <= 15
    ? { version: version as BcryptHash['version'], cost: rounds }
    : undefined
}

// 22 characters for 16 bytes of salt, 31 for 23 bytes of hash. The unused bits of each last character must be zero.
const bcryptPattern = /^\$(2[aby])\$(\d\d)\$[./A-Za-z0-9]{21}[.Oeu][./A-Za-z0-9]{30}[.CGKOSWaeimquy26]$/
