import { expect, test } from 'bun:test'
import { hkdfSync } from 'node:crypto'
import { deriveKey } from '../../src/lib/hash.ts'

const hex = (bytes: Uint8Array | ArrayBuffer): string => Buffer.from(bytes as ArrayBuffer).toString('hex')

test('keys are derived as RFC 5869 says, in the first block of 32 bytes', () => {
  // Test case 3 of appendix A: no salt and no purpose. What is wanted there are 42 bytes, of which these are the first.
  expect(hex(deriveKey(new Uint8Array(22).fill(0x0b), ''))).toBe(
    '8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d',
  )
})

test('keys are derived as OpenSSL derives them, whatever the secret, the purpose and the salt', () => {
  const secrets = ['', 'x', 'ä secret with ümläuts', 'l'.repeat(200)]
  const salts = [new Uint8Array(), new Uint8Array(16).fill(7), new Uint8Array(100).fill(255)]
  for (const secret of secrets)
    for (const salt of salts)
      for (const purpose of ['', 'keyward seal v1', 'ü'.repeat(90)])
        expect(hex(deriveKey(secret, purpose, salt))).toBe(hex(hkdfSync('sha256', secret, salt, purpose, 32)))
})
