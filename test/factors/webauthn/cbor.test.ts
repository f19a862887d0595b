import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { CborError, readCbor, readCborMap } from '../../../src/features/factors/webauthn/cbor.ts'
import { cborHead, type Encodable, encodeCbor } from '../../support/cbor.ts'

const read = (hex: string) => readCbor(Buffer.from(hex, 'hex'))

describe('N11: CBOR is read', () => {
  // Appendix A of RFC 8949, the values that authenticators send
  test.each([
    ['00', 0],
    ['17', 23],
    ['1818', 24],
    ['1903e8', 1000],
    ['1a000f4240', 1_000_000],
    ['1b000000e8d4a51000', 1_000_000_000_000],
    ['1b001fffffffffffff', Number.MAX_SAFE_INTEGER],
    ['20', -1],
    ['3863', -100],
    ['3903e7', -1000],
    ['3b001ffffffffffffe', -Number.MAX_SAFE_INTEGER],
    ['f4', false],
    ['f5', true],
    ['f6', null],
    ['40', Buffer.of()],
    ['4401020304', Buffer.of(1, 2, 3, 4)],
    ['60', ''],
    ['62225c', '"\\'],
    ['64f0908591', '\u{10151}'],
    ['80', []],
    ['8301820203820405', [1, [2, 3], [4, 5]]],
    ['a0', new Map()],
    [
      'a201020304',
      new Map([
        [1, 2],
        [3, 4],
      ]),
    ],
    [
      'a26161016162820203',
      new Map<string, unknown>([
        ['a', 1],
        ['b', [2, 3]],
      ]),
    ],
  ])('%s', (hex, value) => {
    const found = read(hex)
    expect(found.end).toBe(hex.length / 2)
    if (value instanceof Buffer) expect(Buffer.from(found.value as Uint8Array)).toEqual(value)
    else expect(found.value).toEqual(value as never)
  })

  const leaf: fc.Arbitrary<Encodable> = fc.oneof(
    fc.maxSafeInteger(),
    fc.boolean(),
    fc.constant(null),
    fc.string({ unit: 'grapheme' }),
    fc.uint8Array({ maxLength: 300 }),
  )
  const { value } = fc.letrec<{ value: Encodable }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 4, depthIdentifier: 'cbor' },
      leaf,
      fc.array(tie('value'), { maxLength: 4, depthIdentifier: 'cbor' }),
      fc
        .uniqueArray(fc.tuple(fc.oneof(fc.integer(), fc.string()), tie('value')), {
          maxLength: 4,
          selector: ([key]) => key,
          depthIdentifier: 'cbor',
        })
        .map((members) => new Map(members)),
    ),
  }))
  const plain = (one: unknown): unknown => {
    if (one instanceof Uint8Array) return Buffer.from(one).toString('hex')
    if (Array.isArray(one)) return one.map(plain)
    if (one instanceof Map) return new Map([...one].map(([key, inner]) => [key, plain(inner)]))
    return one
  }

  test('back to what was encoded, wherever the value lies', () => {
    fc.assert(
      fc.property(value, fc.nat(20), fc.uint8Array({ maxLength: 5 }), (encodable, at, rest) => {
        const bytes = encodeCbor(encodable)
        const found = readCbor(Buffer.concat([Buffer.alloc(at, 0xff), bytes, rest]), at)
        expect(plain(found.value)).toEqual(plain(encodable))
        expect(found.end).toBe(at + bytes.length)
      }),
    )
  })
})

describe('N11: CBOR is refused', () => {
  test.each([
    ['nothing', ''],
    ['a number that ends early', '19 03'],
    ['bytes that end early', '44 010203'],
    ['text that ends early', '63 6161'],
    ['an array that ends early', '82 01'],
    ['a map that ends early', 'a1 01'],
    ['bytes of 2^53 - 1', '5b 001fffffffffffff 00'],
    ['an array of 2^53 - 1 items', '9b 001fffffffffffff 00'],
    ['a map of 2^53 - 1 members', 'bb 001fffffffffffff 00'],
    ['an array of 2^32 - 1 items', '9a ffffffff 00'],
    ['bytes of indefinite length', '5f 4101 ff'],
    ['text of indefinite length', '7f 6161 ff'],
    ['an array of indefinite length', '9f 01 ff'],
    ['a map of indefinite length', 'bf 0101 ff'],
    ['reserved lengths', '1c 00'],
    ['a number in two bytes that fits in one', '18 17'],
    ['a number in three bytes that fits in two', '19 00ff'],
    ['a number in five bytes that fits in three', '1a 0000ffff'],
    ['a number in nine bytes that fits in five', '1b 00000000ffffffff'],
    ['a length that is longer than needed', '58 01 00'],
    ['a number beyond the safe integers', '1b 0020000000000000'],
    ['a negative number beyond the safe integers', '3b 001fffffffffffff'],
    ['a key that is given twice', 'a2 0101 0102'],
    ['a text key that is given twice', 'a2 616101 616102'],
    ['bytes as a key', 'a1 410101'],
    ['an array as a key', 'a1 8001'],
    ['true as a key', 'a1 f501'],
    ['null as a key', 'a1 f601'],
    ['text that is not UTF-8', '61 ff'],
    ['a surrogate in UTF-8', '63 eda080'],
    ['a tag', 'c0 60'],
    ['a half float', 'f9 3c00'],
    ['a float', 'fa 47c35000'],
    ['a double', 'fb 3ff199999999999a'],
    ['undefined', 'f7'],
    ['an unknown simple value', 'f0'],
    ['a simple value in two bytes', 'f8 ff'],
    ['a break', 'ff'],
    ['five arrays in each other', '81 81 81 81 80'],
    ['a hundred thousand arrays in each other', '81'.repeat(100_000)],
    ['a hundred thousand maps in each other', 'a101'.repeat(100_000)],
  ])('%s', (_, hex) => {
    expect(() => read(hex.replaceAll(' ', ''))).toThrow(CborError)
  })

  test('as a map: another value, and bytes behind it', () => {
    expect(readCborMap(Buffer.from('a10102', 'hex'))).toEqual(new Map([[1, 2]]))
    for (const hex of ['80', '01', 'a1010200', ''])
      expect(() => readCborMap(Buffer.from(hex, 'hex'))).toThrow(CborError)
  })

  test('random bytes never throw anything but CborError, and no value ends behind the bytes', () => {
    const item = fc.tuple(fc.nat(7), fc.nat(40)).map(([major, number]) => cborHead(major, number))
    const noise = fc.oneof(
      fc.uint8Array({ maxLength: 60 }),
      fc.array(item, { maxLength: 20 }).map((heads) => Buffer.concat(heads)),
    )
    fc.assert(
      fc.property(noise, (bytes) => {
        try {
          expect(readCbor(bytes).end).toBeLessThanOrEqual(bytes.length)
        } catch (error) {
          expect(error).toBeInstanceOf(CborError)
        }
      }),
      { numRuns: 3000 },
    )
  })
})
