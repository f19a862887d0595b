import { expect, test } from 'bun:test'
import { hkdfSync } from 'node:crypto'
import { deriveKey } from '../../src/lib/hash.ts'

const hex = (bytes: Uint8Array | ArrayBuffer): string => Buffer.from(bytes as ArrayBuffer).toString('hex')

test('keys are derived as in RFC 5869, first block of 32 bytes', () => {
  // Test case 3 of appendix A, without salt and purpose: the first 32 of its 42 bytes.
  expect(hex(deriveKey(new Uint8Array(22).fill(0x0b), ''))).toBe(
    '8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d',
  )
})

test('keys are derived as OpenSSL does, for any secret, purpose and salt', () => {
  const secrets = ['', 'x', 'ä secret with ümläuts', 'l'.repeat(200)]
  const salts = [new Uint8Array(), new Uint8Array(16).fill(7), new Uint8Array(100).fill(255)]
  for (const secret of secrets)
    for (const salt of salts)
      for (const purpose of ['', 'keyward seal v1', 'ü'.repeat(90)])
        expect(hex(deriveKey(secret, purpose, salt))).toBe(hex(hkdfSync('sha256', secret, salt, purpose, 32)))
})
