/** The values that authenticators send: CBOR (RFC 8949) without floats, tags and undefined. */
export type Cbor = number | string | boolean | null | Uint8Array | Cbor[] | CborMap

/** A CBOR map. Its keys are integers or text, as in COSE (RFC 9052) and CTAP2. */
export interface CborMap extends ReadonlyMap<number | string, Cbor> {}

/** Thrown for bytes that are not strict CBOR. */
export class CborError extends Error {
  override readonly name = 'CborError'
}

/** How many arrays and maps may be nested, as in the CTAP2 canonical CBOR encoding form. */
const MAX_DEPTH = 4

// The major types of RFC 8949 section 3.1
const UNSIGNED = 0
const NEGATIVE = 1
const BYTES = 2
const TEXT = 3
const ARRAY = 4
const MAP = 5

/**
 * Reads one value strictly, so the same bytes have the same meaning for every reader. Lengths are definite, integers
 * and lengths have their shortest form, integers are safe integers of JavaScript, text is well-formed UTF-8, and a map
 * has no key twice. Memory is taken for what was read, not for the lengths that the bytes claim.
 * @param at where the value begins
 * @returns the value, and the index of the first byte after it: the caller decides whether more bytes may follow. Byte
 *   strings are views of `bytes`
 * @throws CborError when the bytes are refused
 */
export function readCbor(bytes: Uint8Array, at = 0): { value: Cbor; end: number } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let next = at

  const take = (length: number): number => {
    if (length > bytes.byteLength - next) throw new CborError('the bytes end inside a value')
    next += length
    return next - length
  }

  /** Reads the argument of a head (RFC 8949 section 3). */
  const argument = (info: number): number => {
    if (info < 24) return info
    if (info === 24) return shortest(view.getUint8(take(1)), 24)
    if (info === 25) return shortest(view.getUint16(take(2)), 0x100)
    if (info === 26) return shortest(view.getUint32(take(4)), 0x1_0000)
    if (info === 27) return shortest(safe(view.getBigUint64(take(8))), 0x1_0000_0000)
    throw new CborError('an indefinite or reserved length')
  }

  const value = (depth: number): Cbor => {
    const head = view.getUint8(take(1))
    const major = head >> 5
    if (major > MAP) return simple(head)
    const number = argument(head & 0x1f)
    switch (major) {
      case UNSIGNED:
        return number
      case NEGATIVE:
        return negative(number)
      case BYTES: {
        const start = take(number)
        return bytes.subarray(start, start + number)
      }
      case TEXT: {
        const start = take(number)
        return text(bytes.subarray(start, start + number))
      }
      case ARRAY:
        return array(number, depth + 1)
      default:
        return map(number, depth + 1)
    }
  }

  const array = (length: number, depth: number): Cbor[] => {
    limitDepth(depth)
    const items: Cbor[] = []
    while (items.length < length) items.push(value(depth))
    return items
  }

  const map = (size: number, depth: number): CborMap => {
    limitDepth(depth)
    const members = new Map<number | string, Cbor>()
    for (let read = 0; read < size; read++) {
      const key = value(depth)
      if (typeof key !== 'number' && typeof key !== 'string') throw new CborError('a key that is no integer or text')
      if (members.has(key)) throw new CborError('a key is given twice')
      members.set(key, value(depth))
    }
    return members
  }

  return { value: value(0), end: next }
}

/**
 * Reads bytes that are one map and nothing else.
 * @throws CborError when they are something else, or more bytes follow
 */
export function readCborMap(bytes: Uint8Array): CborMap {
  const { value, end } = readCbor(bytes)
  if (!(value instanceof Map)) throw new CborError('not a map')
  if (end !== bytes.byteLength) throw new CborError('more bytes follow')
  return value
}

function limitDepth(depth: number): void {
  if (depth > MAX_DEPTH) throw new CborError('nested too deeply')
}

function shortest(number: number, least: number): number {
  if (number < least) throw new CborError('a number that is not in its shortest form')
  return number
}

function safe(number: bigint): number {
  if (number > BigInt(Number.MAX_SAFE_INTEGER)) throw new CborError('a number beyond the safe integers')
  return Number(number)
}

function negative(number: number): number {
  if (number === Number.MAX_SAFE_INTEGER) throw new CborError('a number beyond the safe integers')
  return -1 - number
}

function simple(head: number): Cbor {
  if (head === 0xf4) return false
  if (head === 0xf5) return true
  if (head === 0xf6) return null
  throw new CborError('a tag, a float or an unknown simple value')
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function text(bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes)
  } catch {
    throw new CborError('text that is not UTF-8')
  }
}
