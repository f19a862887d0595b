import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { FormError, parseForm } from '../../src/lib/form.ts'

const runs = { seed: 20260101, numRuns: 300 }

function refusal(text: string): string {
  try {
    parseForm(text)
  } catch (error) {
    expect(error).toBeInstanceOf(FormError)
    return (error as FormError).message
  }
  return 'accepted'
}

const entries = (text: string): [string, string][] => Object.entries(parseForm(text))

describe('parseForm', () => {
  test('reads back what URLSearchParams writes', () => {
    const form = fc.dictionary(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), { maxKeys: 20 })
    fc.assert(
      fc.property(form, (record) => {
        const parsed = parseForm(new URLSearchParams(record).toString())
        expect(new Map(Object.entries(parsed))).toEqual(new Map(Object.entries(record)))
      }),
      runs,
    )
  })

  test('decodes + and percent-encoding in names and values, and splits at the first =', () => {
    expect(entries('user+name=a%2Bb+c&p%61ss=x=y%3D&tab=%e2%82%ac')).toEqual([
      ['user name', 'a+b c'],
      ['pass', 'x=y='],
      ['tab', '€'],
    ])
  })

  test('skips empty pieces and reads a parameter without a value as empty', () => {
    expect(entries('')).toEqual([])
    expect(entries('&&a=1&&b=&c&')).toEqual([
      ['a', '1'],
      ['b', ''],
      ['c', ''],
    ])
  })

  test.each([
    'username=a&username=b',
    'password=x&grant_type=password&password=x',
    'a=1&%61=2',
    'user+name=1&user%20name=2',
    'a&a=1',
    '=1&=2',
    '__proto__=1&__proto__=2',
    'toString=1&toString=2',
  ])('refuses a parameter given twice: %s', (text) => {
    expect(refusal(text)).toBe('The form has a parameter twice')
  })

  test.each(['a=%', 'a=%4', 'a=%zz', 'a=%u0061', '%=1', 'a=100%&b=1', 'a=%2&b=0'])(
    'refuses broken percent-encoding: %s',
    (text) => {
      expect(refusal(text)).toBe('The form has a broken percent-encoding')
    },
  )

  test.each([
    ['a lone byte', 'a=%ff'],
    ['an overlong NUL', 'a=%c0%80'],
    ['a surrogate', 'a=%ed%a0%80'],
    ['a sequence cut off', 'a=%e2%82'],
    ['a sequence cut off by the next parameter', 'a=%e2%82&b=%ac'],
    ['a code point beyond Unicode', 'a=%f4%90%80%80'],
  ])('refuses bytes that are not UTF-8: %s', (_, text) => {
    expect(refusal(text)).toBe('The form has a broken percent-encoding')
  })

  test('takes 64 parameters and refuses 65', () => {
    const form = (count: number) => Array.from({ length: count }, (_, at) => `p${at}=v`).join('&')
    expect(Object.keys(parseForm(form(64)))).toHaveLength(64)
    expect(refusal(form(65))).toBe('The form has too many parameters')
  })

  test('gives no name a meaning: the prototype is neither reached nor changed', () => {
    const form = parseForm('__proto__=x&constructor=y')
    expect(Object.getPrototypeOf(form)).toBeNull()
    expect(Object.keys(form)).toEqual(['__proto__', 'constructor'])
    expect(parseForm('a=1').toString).toBeUndefined()
  })

  test('says nothing of the form in its message', () => {
    for (const text of ['hunter2=1&hunter2=2', 'a=hunter2%'])
      expect(refusal(text)).toMatch(/^The form has a (parameter twice|broken percent-encoding)$/)
  })
})
