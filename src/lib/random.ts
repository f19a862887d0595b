import { toBase64Url } from './encoding.ts'

/** The only source of randomness. Tests pass a deterministic source. */
export interface Random {
  /** `length` bytes, unpredictable to anyone outside this process. */
  bytes(length: number): Uint8Array
  /** A float in [0, 1) for jitter; never for secrets. */
  fraction(): number
}

export const systemRandom: Random = {
  bytes: (length) => crypto.getRandomValues(new Uint8Array(length)),
  fraction: () => Math.random(),
}

/** An unguessable identifier: 128 random bits in base64url, 22 characters. */
export const randomId = (random: Random): string => toBase64Url(random.bytes(16))
