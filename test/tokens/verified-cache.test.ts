import { describe, expect, test } from 'bun:test'
import type { VerifiedToken } from '../../src/features/tokens/verified-cache.ts'
import { createVerifiedCache } from '../../src/features/tokens/verified-cache.ts'

const now = Date.UTC(2026, 0, 1)
const verified = (changed: Partial<VerifiedToken<{ sub: string }>> = {}): VerifiedToken<{ sub: string }> => ({
  claims: { sub: '42' },
  kid: 'key-1',
  notBefore: 0,
  expiresAt: now + 1000,
  ...changed,
})
const filled = (capacity: number, tokens: readonly string[]) => {
  const cache = createVerifiedCache<{ sub: string }>(capacity)
  for (const token of tokens) cache.set(token, verified())
  return cache
}
const names = (count: number) => Array.from({ length: count }, (_, at) => `token-${at}`)

test('returns what was stored, for exactly that text', () => {
  const cache = filled(10, [])
  const entry = verified()
  cache.set('a.b.c', entry)
  expect(cache.get('a.b.c', now)).toBe(entry)
  for (const other of ['a.b.c=', 'a.b.C', 'a.b', 'a.b.c ', '', '__proto__'])
    expect(cache.get(other, now)).toBeUndefined()
})

test('replaces a token that is stored again, without a second place', () => {
  const cache = filled(2, ['a', 'b', 'b', 'b'])
  cache.set('b', verified({ claims: { sub: '7' } }))
  expect(cache.size).toBe(2)
  expect(cache.get('b', now)?.claims.sub).toBe('7')
  expect(cache.get('a', now)).toBeDefined()
})

describe('time', () => {
  test('a token is removed for good as soon as it expires', () => {
    const cache = filled(10, ['a'])
    expect(cache.get('a', now + 999)).toBeDefined()
    expect(cache.get('a', now + 1000)).toBeUndefined()
    expect(cache.size).toBe(0)
    expect(cache.get('a', now)).toBeUndefined()
  })

  test('a token is not returned before notBefore, as after a clock was set back', () => {
    const cache = filled(10, [])
    cache.set('a', verified({ notBefore: now }))
    expect(cache.get('a', now)).toBeDefined()
    expect(cache.get('a', now - 1)).toBeUndefined()
  })
})

describe('dropKey', () => {
  test('forgets all tokens of that key and no others', () => {
    const cache = filled(10, ['a', 'b'])
    cache.set('c', verified({ kid: 'key-2' }))
    cache.dropKey('key-1')
    expect(['a', 'b', 'c'].map((token) => cache.get(token, now) !== undefined)).toEqual([false, false, true])
    expect(cache.size).toBe(1)
  })

  test('frees their places', () => {
    const cache = filled(3, names(3))
    cache.dropKey('key-1')
    for (const token of ['x', 'y', 'z']) cache.set(token, verified({ kid: 'key-2' }))
    expect(['x', 'y', 'z'].every((token) => cache.get(token, now))).toBe(true)
  })
})

describe('bounds', () => {
  test('never holds more than its capacity, and removes the oldest first', () => {
    const cache = filled(100, names(250))
    expect(cache.size).toBe(100)
    expect(cache.get('token-149', now)).toBeUndefined()
    expect(cache.get('token-150', now)).toBeDefined()
  })

  test('holds 10,000 by default', () => {
    expect(filled(undefined as unknown as number, names(10_100)).size).toBe(10_000)
  })

  test('keeps a token in use while unused ones are removed', () => {
    const cache = filled(100, ['busy'])
    for (const token of names(1000)) {
      cache.set(token, verified())
      expect(cache.get('busy', now)).toBeDefined()
    }
    expect(cache.size).toBe(100)
  })

  test('counts long tokens as one place per KiB begun', () => {
    const long = names(20).map((token) => token.padEnd(8192, 'x'))
    expect(filled(80, long).size).toBe(10)
    expect(filled(80, [...names(80), long[0]!]).size).toBe(73)
    const short = names(20).map((token) => token.padEnd(1024, 'x'))
    expect(filled(20, short).size).toBe(20)
  })

  test('does not keep a token longer than the whole cache, and removes none for it', () => {
    const cache = filled(4, ['a', 'b', 'x'.repeat(5000)])
    expect(cache.size).toBe(2)
    expect(cache.get('a', now)).toBeDefined()
  })

  test('counts places correctly through expiry, hits and replacement', () => {
    const cache = filled(10, [])
    for (let at = 0; at < 500; at++) {
      cache.set(`t${at}`.padEnd((at % 3) * 900 + 10, 'x'), verified({ expiresAt: now + (at % 2) }))
      for (let back = 0; back < 8; back++) cache.get(`t${at - back}`.padEnd(((at - back) % 3) * 900 + 10, 'x'), now)
    }
    cache.dropKey('key-1')
    for (const token of names(10)) cache.set(token, verified())
    expect(cache.size).toBe(10)
  })
})
