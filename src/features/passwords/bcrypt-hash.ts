export interface BcryptHash {
  version: '2a' | '2b' | '2y'
  /** log2 of the number of rounds, from 4 to 15. */
  cost: number
}

/**
 * Reads the version and the cost of a bcrypt hash. The version must be `$2a$`, `$2b$` or `$2y$`, because faulty
 * implementations made the others (`$2$` and `$2x$`). The cost must be from 4 to 15, because a verification at cost 31
 * would occupy a core for more than a day.
 * @returns undefined for any other text. Keyward does not verify such a text, and an import refuses its account
 */
export function readBcryptHash(hash: string): BcryptHash | undefined {
  const [, version, cost] = bcryptPattern.exec(hash) ?? []
  const rounds = Number(cost)
  return version !== undefined && rounds >= 4 && rounds <= 15
    ? { version: version as BcryptHash['version'], cost: rounds }
    : undefined
}

// The salt has 16 bytes in 22 characters, and the hash 23 bytes in 31 characters. The last character of each has unused
// bits. The pattern allows only zeros in them, because Bun's check of a password throws an error for any
// other value.
const bcryptPattern = /^\$(2[aby])\$(\d\d)\$[./A-Za-z0-9]{21}[.Oeu][./A-Za-z0-9]{30}[.CGKOSWaeimquy26]$/
