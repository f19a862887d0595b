/** What `encodeCbor` writes. `Raw` bytes are written as they are, which makes wrong CBOR. */
export type Encodable =
  | number
  | string
  | boolean
  | null
  | Uint8Array
  | Raw
  | Encodable[]
  | Map<number | string, Encodable>

/** Bytes that are written as they are, instead of a value. */
export class Raw {
  constructor(readonly bytes: Uint8Array) {}
}

/** Encodes CBOR as authenticators do: definite lengths, shortest forms. A map keeps its order. */
export function encodeCbor(value: Encodable): Uint8Array {
  if (value instanceof Raw) return value.bytes
  if (value === null) return Uint8Array.of(0xf6)
  if (typeof value === 'boolean') return Uint8Array.of(value ? 0xf5 : 0xf4)
  if (typeof value === 'number') return value < 0 ? cborHead(1, -1 - value) : cborHead(0, value)
  if (typeof value === 'string') return Buffer.concat([cborHead(3, Buffer.byteLength(value)), Buffer.from(value)])
  if (value instanceof Uint8Array) return Buffer.concat([cborHead(2, value.length), value])
  if (Array.isArray(value)) return Buffer.concat([cborHead(4, value.length), ...value.map(encodeCbor)])
  return Buffer.concat([cborHead(5, value.size), ...[...value].flat().map((one) => encodeCbor(one))])
}

/** The first bytes of a value: its major type and its number or length. */
export function cborHead(major: number, number: number): Uint8Array {
  const first = major << 5
  if (number < 24) return Uint8Array.of(first | number)
  if (number < 0x100) return Uint8Array.of(first | 24, number)
  const head = Buffer.alloc(9)
  if (number < 0x1_0000) {
    head.writeUInt16BE(number, 1)
    head[0] = first | 25
    return head.subarray(0, 3)
  }
  if (number < 0x1_0000_0000) {
    head.writeUInt32BE(number, 1)
    head[0] = first | 26
    return head.subarray(0, 5)
  }
  head.writeBigUInt64BE(BigInt(number), 1)
  head[0] = first | 27
  return head
}
