import { toBase64Url } from './encoding.ts'

/** The source of randomness for all code outside `lib/`. Tests pass a source whose values they know. */
export interface Random {
  /** Returns `length` bytes that nobody outside this process can predict. */
  bytes(length: number): Uint8Array
  /**
   * Returns a number in [0, 1), for the jitter of delays. The number is predictable, so it must not become a secret.
   */
  fraction(): number
}

export const systemRandom: Random = {
  bytes: (length) => crypto.getRandomValues(new Uint8Array(length)),
  fraction: () => Math.random(),
}

/** Returns an identifier that nobody can guess and that never occurs twice: 128 random bits in base64url. */
export const randomId = (random: Random): string => toBase64Url(random.bytes(16))

/**
 * Returns true for a text in the form of `randomId`. No other text is sent to the database, because PostgreSQL answers
 * some characters, such as NUL, with an error.
 */
export const isRandomId = (text: string): boolean => /^[\w-]{22}$/.test(text)
