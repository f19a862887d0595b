import { createHash } from 'node:crypto'
import type { Random } from '../../src/lib/random.ts'

/** Deterministic bytes: SHA-256 of a seed and a counter. */
export function seededRandom(seed = 'keyward test'): Random {
  let counter = 0
  const block = () => createHash('sha256').update(`${seed}/${counter++}`).digest()
  return {
    bytes(length) {
      const out = Buffer.alloc(length)
      for (let at = 0; at < length; at += 32) block().copy(out, at)
      return out
    },
    fraction: () => block().readUInt32BE() / 2 ** 32,
  }
}
