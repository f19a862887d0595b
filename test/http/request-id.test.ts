import { describe, expect, test } from 'bun:test'
import { createRequestIds } from '../../src/http/request-id.ts'
import { seededRandom } from '../support/random.ts'

const requestId = createRequestIds(seededRandom())

describe('createRequestIds', () => {
  test.each([
    'a',
    '0b0e5ad2-1f6e-4bd0-8e2b-4f1e1f1b1c7a',
    'Root_1.2-3',
    'v1.20.300',
    'kwr',
    'parkw_1',
    'keyJ',
    'x'.repeat(128),
  ])('accepts the plain id of a client: %s', (supplied) => {
    expect(requestId(supplied)).toBe(supplied)
  })

  test.each([
    null,
    '',
    'x'.repeat(129),
    'a b',
    'a\r\nSet-Cookie: x=1',
    'a\n',
    'a\u0000',
    '<script>',
    'a,b',
    '{"a":1}',
    '../../etc',
    'é',
    'a$b',
    'kwr_AQ5q3v2pQm3kS1y2Z7sXbQAAAAAB',
    'kw_AQ5q3v2pQm3kS1y2Z7sXbQAAAAAB',
    'trace-kwr_AQ5q3v2pQm3kS1y2Z7sXbQ',
    'tracekwr_AQ5q3v2pQm3kS1y2Z7sXbQ',
    'eyJhbGciOiJIUzI1NiJ9.e30.c2ln',
    'Bearer_eyJhbGciOiJIUzI1NiJ9',
    '203.0.113.77',
    'client-203.0.113.77-1',
    '2001:db8::1',
  ])('makes a new one instead of %j', (supplied) => {
    const id = requestId(supplied)
    expect(id).not.toBe(supplied as string)
    expect(id).toMatch(/^[A-Za-z0-9._-]{14,128}$/)
  })

  test('never makes one twice, in one process or in two', () => {
    const other = createRequestIds(seededRandom('another process'))
    const minted = Array.from({ length: 1_000 }, () => [requestId(null), other(null)]).flat()
    expect(new Set(minted).size).toBe(minted.length)
  })

  test('would accept the ids that it makes', () => {
    const id = requestId(null)
    expect(requestId(id)).toBe(id)
  })
})
