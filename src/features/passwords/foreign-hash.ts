import { createCipheriv, createHash, pbkdf2, type ScryptOptions, scrypt, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'
import { utf8 } from '../../lib/encoding.ts'
import { readBcryptHash } from './bcrypt-hash.ts'
import { readKeycloakCredential } from './keycloak-hash.ts'

/** A password hash of another service that is not bcrypt alone, with parameters within the bounds below. */
export interface ForeignHash {
  /** The text to store, which `readForeignHash` reads again. */
  hash: string
  /** True when a verification needs memory, at most `MAX_MEMORY` bytes. */
  fillsMemory: boolean
  /**
   * Computes the hash of a password in Bun's thread pool and compares it in constant time.
   * @param password the UTF-8 bytes of the password as it was typed
   */
  verify(password: Uint8Array): Promise<boolean>
}

/** Why a hash cannot be imported: `unknown` algorithm or spelling, `malformed`, or too `costly` to verify. */
export type HashProblem = 'unknown' | 'malformed' | 'costly'

const MIB = 2 ** 20
/** The most memory of one verification, in bytes. Django's Argon2 needs 100 MiB, scrypt with N=2^17 and r=8 128 MiB. */
export const MAX_MEMORY = 128 * MIB
/** The most memory that Argon2 may fill in all its passes, in bytes: about half a second on a core of the year 2020. */
const MAX_ARGON2_WORK = 4 * MAX_MEMORY
/** The highest N·r·p of scrypt: about half a second. */
const MAX_SCRYPT_WORK = 2 ** 20
/** The most rounds of PBKDF2, summed over the blocks of its output: less than a second. Django 6 makes 1,200,000. */
const MAX_PBKDF2_ROUNDS = 2_000_000
/** The least and the most bytes of a hash. With a shorter hash, a guess could be right by chance. */
const [minBytes, maxBytes] = [16, 128]
/** The longest text of a hash, a Keycloak credential included. */
const MAX_LENGTH = 4_096

/**
 * Reads a password hash of another service, in one of these spellings:
 * - Argon2 (RFC 9106): `$argon2id$v=19$m=65536,t=3,p=4$SALT$HASH`, also `argon2i`, and with `argon2` before it (Django)
 * - scrypt (RFC 7914): `$scrypt$ln=16,r=8,p=1$SALT$HASH` (passlib), `scrypt$N$SALT$r$p$HASH` (Django)
 * - PBKDF2 (RFC 8018): `pbkdf2_sha256$ROUNDS$SALT$HASH` (Django), `$pbkdf2-sha256$ROUNDS$SALT$HASH` (passlib; Keyward
 *   writes Keycloak's so), each also with SHA-1 and SHA-512, and the JSON credential of Keycloak
 * - better-auth's scrypt: `SALT:HASH`, both in hexadecimal
 * - Django's bcrypt of a SHA-256: `bcrypt_sha256$$2b$12$SALTHASH`
 * - Firebase's scrypt: `$fbscrypt$v=1,n=14,r=8,p=1,ss=SEPARATOR,sk=SIGNER_KEY$SALT$HASH` (Supabase's spelling)
 *
 * The bounds of time and memory hold for each of them.
 */
export function readForeignHash(text: string): ForeignHash | HashProblem {
  if (text.length > MAX_LENGTH) return 'malformed'
  if (text.startsWith('{')) {
    const translated = readKeycloakCredential(text)
    return translated === undefined || translated.startsWith('{') ? 'malformed' : readForeignHash(translated)
  }
  if (/^[\da-f]+:[\da-f]+$/.test(text)) return readBetterAuth(text)
  const word = /^\$?([a-z\d]+)/.exec(text)?.[1] ?? ''
  if (word.startsWith('argon2')) return readArgon2(text)
  if (word === 'bcrypt') return readDjangoBcrypt(text)
  if (word === 'scrypt') return readScrypt(text)
  if (word === 'fbscrypt') return readFirebase(text)
  return word === 'pbkdf2' ? readPbkdf2(text) : 'unknown'
}

const argon2Pattern =
  /^(?:argon2)?(\$argon2(?:id|i)\$v=19\$m=(\d{1,10}),t=(\d{1,10}),p=(\d{1,8})\$([A-Za-z\d+/]+)\$([A-Za-z\d+/]+))$/

function readArgon2(text: string): ForeignHash | HashProblem {
  const [, phc, ...fields] = argon2Pattern.exec(text) ?? []
  const [memory = 0, passes = 0, lanes = 0] = fields.slice(0, 3).map(Number)
  const [salt, hash] = fields.slice(3).map(fromBase64)
  if (phc === undefined || !salt || salt.length < 8 || !isHash(hash)) return 'malformed'
  if (passes < 1 || lanes < 1 || memory < 8 * lanes) return 'malformed'
  const bytes = memory * 1_024
  if (bytes > MAX_MEMORY || bytes * passes > MAX_ARGON2_WORK || lanes > 16) return 'costly'
  return { hash: text, fillsMemory: true, verify: (password) => Bun.password.verify(password, phc) }
}

interface ScryptParameters {
  N: number
  r: number
  p: number
}

/** Counts 2^n as a number; NaN for an exponent that is no small number. */
const power = (exponent: string | undefined): number => (/^\d{1,2}$/.test(exponent ?? '') ? 2 ** Number(exponent) : NaN)

function readScrypt(text: string): ForeignHash | HashProblem {
  const phc = /^\$scrypt\$ln=(\d{1,2}),r=(\d{1,5}),p=(\d{1,5})\$([^$]+)\$([^$]+)$/.exec(text)
  const django = /^scrypt\$(\d{1,10})\$([^$]{1,128})\$(\d{1,5})\$(\d{1,5})\$([^$]+)$/.exec(text)
  const salt = phc ? fromBase64(phc[4]) : django && utf8(django[2]!)
  const expected = fromBase64((phc ?? django)?.[5])
  if (!salt || !isHash(expected)) return 'malformed'
  const parameters = phc
    ? { N: power(phc[1]), r: Number(phc[2]), p: Number(phc[3]) }
    : { N: Number(django?.[1]), r: Number(django?.[3]), p: Number(django?.[4]) }
  return (
    problemOf(parameters) ?? {
      hash: text,
      fillsMemory: true,
      verify: async (password) =>
        timingSafeEqual(await scryptOf(password, { ...parameters, salt, length: expected.length }), expected),
    }
  )
}

/** Reads a hash of better-auth, which hashes the password in NFKC. The salt is the text itself, not its bytes. */
function readBetterAuth(text: string): ForeignHash | HashProblem {
  const [salt = '', hash = ''] = text.split(':')
  const expected = Buffer.from(hash, 'hex')
  if (salt.length > 128 || hash.length % 2 !== 0 || !isHash(expected)) return 'malformed'
  const parameters = { N: 16_384, r: 16, p: 1, salt: utf8(salt), length: expected.length }
  return {
    hash: text,
    fillsMemory: true,
    verify: async (password) =>
      timingSafeEqual(await scryptOf(utf8(new TextDecoder().decode(password).normalize('NFKC')), parameters), expected),
  }
}

/** Reads a hash of Django's `BCryptSHA256PasswordHasher`, which hashes the SHA-256 of the password in hexadecimal. */
function readDjangoBcrypt(text: string): ForeignHash | HashProblem {
  const bcrypt = /^bcrypt_sha256\$(.+)$/.exec(text)?.[1] ?? ''
  if (!readBcryptHash(bcrypt)) return 'malformed'
  return {
    hash: text,
    fillsMemory: false,
    verify: (password) => Bun.password.verify(createHash('sha256').update(password).digest('hex'), bcrypt),
  }
}

function problemOf({ N, r, p }: ScryptParameters): HashProblem | undefined {
  if (!(N >= 2 && Number.isInteger(Math.log2(N)) && r >= 1 && p >= 1)) return 'malformed'
  return 128 * N * r > MAX_MEMORY || N * r * p > MAX_SCRYPT_WORK ? 'costly' : undefined
}

function scryptOf(
  password: Uint8Array,
  { salt, length, ...parameters }: ScryptParameters & { salt: Uint8Array; length: number },
): Promise<Buffer> {
  // The limit of `maxmem` is 32 MiB without this option. The parameters are within `MAX_MEMORY`.
  return runScrypt(password, salt, length, { ...parameters, maxmem: 2 * MAX_MEMORY })
}

const runScrypt = promisify(scrypt) as (
  password: Uint8Array,
  salt: Uint8Array,
  length: number,
  options: ScryptOptions,
) => Promise<Buffer>

const firebasePattern =
  /^\$fbscrypt\$v=1,n=(\d{1,2}),r=(\d{1,5}),p=(\d{1,5})(?:,ss=([^,$]*))?,sk=([^,$]+)\$([^$]+)\$([^$]+)$/

/**
 * Reads a hash of Firebase: the signer key of the project, encrypted with AES-256-CTR under the first 32 bytes of
 * scrypt. The salt separator of the project is appended to the salt.
 */
function readFirebase(text: string): ForeignHash | HashProblem {
  const [, n, r, p, separatorText = '', ...rest] = firebasePattern.exec(text) ?? []
  const [signerKey, salt, expected] = rest.map(fromBase64)
  const separator = fromBase64(separatorText)
  if (!signerKey || !salt || !separator || !isHash(expected) || signerKey.length !== expected.length) return 'malformed'
  const parameters = { N: power(n), r: Number(r), p: Number(p) }
  return (
    problemOf(parameters) ?? {
      hash: text,
      fillsMemory: true,
      async verify(password) {
        const key = await scryptOf(password, { ...parameters, salt: Buffer.concat([salt, separator]), length: 32 })
        const cipher = createCipheriv('aes-256-ctr', key, Buffer.alloc(16))
        return timingSafeEqual(cipher.update(signerKey), expected)
      },
    }
  )
}

const digestBytes = { sha1: 20, sha256: 32, sha512: 64 }

function readPbkdf2(text: string): ForeignHash | HashProblem {
  const django = /^pbkdf2_(sha1|sha256|sha512)\$(\d{1,10})\$([^$]{1,128})\$([^$]+)$/.exec(text)
  const passlib = /^\$pbkdf2(?:-(sha1|sha256|sha512))?\$(?:i=)?(\d{1,10})(?:,l=\d{1,3})?\$([^$]+)\$([^$]+)$/.exec(text)
  const [, digest = 'sha1', count, saltText, hashText] = django ?? passlib ?? []
  const salt = saltText && django ? utf8(saltText) : fromBase64(saltText)
  const expected = fromBase64(hashText)
  const rounds = Number(count)
  if (!salt || !isHash(expected) || !(rounds >= 1)) return 'malformed'
  const blocks = Math.ceil(expected.length / digestBytes[digest as keyof typeof digestBytes])
  if (rounds * blocks > MAX_PBKDF2_ROUNDS) return 'costly'
  return {
    hash: text,
    fillsMemory: false,
    verify: async (password) =>
      timingSafeEqual(await runPbkdf2(password, salt, rounds, expected.length, digest), expected),
  }
}

const runPbkdf2 = promisify(pbkdf2)

const isHash = (bytes: Uint8Array | undefined): bytes is Uint8Array =>
  bytes !== undefined && bytes.length >= minBytes && bytes.length <= maxBytes

/**
 * Decodes base64, with or without padding, in every alphabet that is in use: `+/`, `-_`, and `./` of passlib.
 * @returns undefined for other text
 */
function fromBase64(text: string | undefined): Uint8Array | undefined {
  if (text === undefined || !/^[A-Za-z\d+/._-]*={0,2}$/.test(text)) return undefined
  const plain = text.replaceAll('=', '').replaceAll(/[.-]/g, '+').replaceAll('_', '/')
  return plain.length % 4 === 1 ? undefined : Uint8Array.from(Buffer.from(plain, 'base64'))
}

/** How many hashes that fill memory are verified at the same time, on however many cores: 256 MiB in all. */
const MEMORY_TURNS = 2

/** Makes a function that verifies hashes of other algorithms, of which `MEMORY_TURNS` may fill memory at a time. */
export function createForeignVerifier(): (
  hash: Pick<ForeignHash, 'fillsMemory' | 'verify'>,
  password: Uint8Array,
) => Promise<boolean> {
  const queue: (() => void)[] = []
  let running = 0
  return async (hash, password) => {
    if (!hash.fillsMemory) return hash.verify(password)
    if (running < MEMORY_TURNS) running++
    else await new Promise<void>((resolve) => queue.push(resolve))
    try {
      return await hash.verify(password)
    } finally {
      const next = queue.shift()
      if (next) next()
      else running--
    }
  }
}
