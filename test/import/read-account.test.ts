import { describe, expect, test } from 'bun:test'
import { readAccount } from '../../src/features/import/read-account.ts'
import { rfc3339 } from '../../src/lib/clock.ts'

const now = Date.UTC(2026, 0, 1)
const options = { now, rpId: 'auth.example.com', service: 'other', passwordless: false, idless: false }
const row = {
  id: '1',
  email: 'ada@example.com',
  username: 'ada',
  hash: '$2b$12$EixZaYVK1fsbw1ZfbX3OXePaWxn96p36WQoeG6Lruj3vjPGga31lW',
  isActive: undefined,
  createdAt: undefined,
}

describe('the time of registration', () => {
  const createdAt = (text: string | null | undefined) =>
    rfc3339(readAccount({ ...row, createdAt: text }, options).account.createdAt!)

  test.each([
    ['2024-02-03 04:05:06.789012', '2024-02-03T04:05:06.789Z'],
    ['2024-02-03 04:05:06', '2024-02-03T04:05:06.000Z'],
    ['2024-02-03T04:05:06Z', '2024-02-03T04:05:06.000Z'],
    ['2024-02-03T04:05', '2024-02-03T04:05:00.000Z'],
    ['2024-02-03', '2024-02-03T00:00:00.000Z'],
    ['2024-02-03 04:05:06.7+00', '2024-02-03T04:05:06.700Z'],
    ['2024-02-03 04:05:06 +05:30', '2024-02-02T22:35:06.000Z'],
    ['2024-02-03T04:05:06-0800', '2024-02-03T12:05:06.000Z'],
    ['1706933106', '2024-02-03T04:05:06.000Z'],
    ['1706933106.789', '2024-02-03T04:05:06.789Z'],
    ['1706933106789', '2024-02-03T04:05:06.789Z'],
  ])('%s is %s', (text, time) => {
    expect(createdAt(text)).toBe(time)
  })

  test.each([null, undefined, '', 'yesterday', '2024-13-40', '2024-02-03 25:00', '03/02/2024', '0', '-5', 'infinity'])(
    'is the time of the import for %p',
    (text) => {
      expect(createdAt(text)).toBe('2026-01-01T00:00:00.000Z')
    },
  )

  test('is never later than the import', () => {
    for (const text of ['2026-01-01 08:00:00', '9999-12-31', '999999999999999'])
      expect(createdAt(text)).toBe('2026-01-01T00:00:00.000Z')
  })
})

test('is_active is read as databases and drivers write it', () => {
  const isActive = (text: string | null | undefined) =>
    readAccount({ ...row, isActive: text }, options).account.isActive
  for (const text of ['1', 't', 'true', 'True']) expect(isActive(text)).toBe(true)
  for (const text of ['0', 'f', 'false', 'FALSE']) expect(isActive(text)).toBe(false)
  for (const text of [null, '', '2', 'yes']) expect(isActive(text)).toBeUndefined()
  expect(isActive(undefined)).toBe(true)
})

test('an id that is no whole number from 1 to 2^52 becomes the external id', () => {
  const ids = (text: string) => {
    const { id, externalId, externalSource } = readAccount({ ...row, id: text }, options).account
    return [id, externalId, externalSource]
  }
  expect(ids('4503599627370496')).toEqual([2 ** 52, null, null])
  for (const text of ['4503599627370497', '01', '1e3', ' 1', '0x1', 'NaN', '1.0', '0', '-1', 'é'.repeat(128)])
    expect(ids(text)).toEqual([undefined, text, 'other'])
  for (const text of ['', 'a\nb', '\ud800', 'x'.repeat(129)])
    expect(ids(text)).toEqual([undefined, undefined, undefined])
})
