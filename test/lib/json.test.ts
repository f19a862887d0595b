import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { JsonError, parseStrictJson } from '../../src/lib/json.ts'

const runs = { seed: 20260101, numRuns: 500 }

function refusal(text: string, maxDepth?: number): string {
  try {
    parseStrictJson(text, maxDepth === undefined ? {} : { maxDepth })
  } catch (error) {
    expect(error).toBeInstanceOf(JsonError)
    return (error as JsonError).message
  }
  return `accepted ${text.slice(0, 80)}`
}

/** JSON text put together by hand, so that names may repeat; `duplicates` is known from the construction. */
interface Written {
  text: string
  duplicates: boolean
}

/** One of the many spellings of a string: every other character as an escape. */
const spell = (text: string, escaped: boolean): string =>
  escaped
    ? `"${Array.from({ length: text.length }, (_, at) => `\\u${text.charCodeAt(at).toString(16).padStart(4, '0')}`).join('')}"`
    : JSON.stringify(text)

const name = fc.constantFrom('a', 'b', 'a"', 'a\\', 'a:', '{', 'é', '', 'constructor', 'valueOf', '0', '1', '1.0')
const written = fc.letrec<{ value: Written; list: Written; object: Written }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 5 },
    fc
      .oneof(fc.string(), fc.integer(), fc.double({ noNaN: true, noDefaultInfinity: true }), fc.boolean())
      .map((leaf) => ({ text: JSON.stringify(leaf), duplicates: false })),
    tie('list'),
    tie('object'),
  ),
  list: fc.array(tie('value'), { maxLength: 4 }).map((items) => ({
    text: `[ ${items.map((item) => item.text).join(' , ')} ]`,
    duplicates: items.some((item) => item.duplicates),
  })),
  object: fc.array(fc.tuple(name, fc.boolean(), tie('value')), { maxLength: 4 }).map((members) => ({
    text: `{ ${members.map(([key, escaped, value]) => `${spell(key, escaped)}\t:\n${value.text}`).join(' , ')} }`,
    duplicates:
      new Set(members.map(([key]) => key)).size < members.length || members.some(([, , value]) => value.duplicates),
  })),
})).value

describe('parseStrictJson', () => {
  test('reads what JSON.parse reads, in any layout, when no name repeats', () => {
    fc.assert(
      fc.property(fc.jsonValue({ depthSize: 'medium' }), fc.constantFrom('', ' ', '\t', '\n  '), (value, indent) => {
        const text = JSON.stringify(value, null, indent)
        fc.pre(!/__proto__|toString/.test(text))
        expect(parseStrictJson(text)).toStrictEqual(JSON.parse(text))
      }),
      runs,
    )
  })

  test('K15: refuses exactly the texts in which an object has a name twice, however it is spelled', () => {
    let refused = 0
    fc.assert(
      fc.property(written, ({ text, duplicates }) => {
        if (duplicates) {
          refused++
          expect(refusal(text)).toBe('A member of the JSON is given twice')
        } else expect(parseStrictJson(text)).toStrictEqual(JSON.parse(text))
      }),
      runs,
    )
    expect(refused).toBeGreaterThan(20)
  })

  test('K4: refuses whatever JSON.parse refuses', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'{}[]:,"\\u0019.-eE tfn\n') }), (text) => {
        let valid = true
        try {
          JSON.parse(text)
        } catch {
          valid = false
        }
        fc.pre(!valid)
        expect(refusal(text)).toMatch(/^(Malformed JSON|The JSON is nested too deeply)$/)
      }),
      runs,
    )
  })

  test.each([
    '',
    ' ',
    '{',
    '{"a":1,}',
    '[1,]',
    "{'a':1}",
    '{a:1}',
    '{"a" 1}',
    '{"a"::1}',
    '{"a":1}{"a":1}',
    '{"a":1} x',
    '// c\n{}',
    'NaN',
    'Infinity',
    'undefined',
    '01',
    '+1',
    '.5',
    '"\u0000"',
    '"\t"',
    '"\\x41"',
    '"open',
    '"\\',
    '\ufeff{}',
    '\u00a0{}',
  ])('refuses the broken text %j', (text) => {
    expect(refusal(text)).toBe('Malformed JSON')
  })

  test.each([
    ['plain', '{"email":"a@x.test","email":"b@x.test"}'],
    ['with the same value', '{"a":1,"a":1}'],
    ['escaped', '{"a":1,"\\u0061":2}'],
    ['escaped in capitals', '{"\\u006A":1,"\\u006a":2}'],
    ['with a quote in the name', '{"a\\"b":1,"a\\u0022b":2}'],
    ['with a backslash at the end of the name', '{"a\\\\":1,"a\\u005c":2}'],
    ['inside an array', '[[{"a":1},{"a":1,"a":2}]]'],
    ['inside an object that the duplicate replaces', '{"a":{"b":1},"a":{"b":2}}'],
    ['made up for by a colon in a string', '{"a":":","a":":"}'],
    ['of the empty name', '{"":1,"":2}'],
    ['of an array index', '{"1":1,"0":0,"1":2}'],
  ])('refuses a name given twice, %s', (_, text) => {
    expect(refusal(text)).toBe('A member of the JSON is given twice')
  })

  test('takes names that differ, and the same name in different objects', () => {
    for (const text of [
      '{"a":1,"A":2}',
      '{"\u00e9":1,"e\u0301":2}',
      '{"a":{"a":1},"b":[{"a":2},{"a":3}]}',
      '{"1":1,"1.0":2}',
    ])
      expect(parseStrictJson(text)).toStrictEqual(JSON.parse(text))
  })

  test.each([
    '{"__proto__":{"admin":true}}',
    '{"a":[{"\\u005f_proto__":null}]}',
    '{"a":{"__proto__":1}}',
    '{"toString":1}',
    '[[{"a":{"\\u0074oString":null}}]]',
  ])('refuses __proto__ and toString as a name: %s', (text) => {
    expect(refusal(text)).toBe('A member of the JSON has a forbidden name')
  })

  test('K8: takes __proto__ as a value, and constructor as a plain own member', () => {
    expect(parseStrictJson('["__proto__"]')).toEqual(['__proto__'])
    const value = parseStrictJson('{"constructor":{"prototype":{"admin":true}}}') as object
    expect(Object.hasOwn(value, 'constructor')).toBe(true)
    expect(({} as { admin?: boolean }).admin).toBeUndefined()
  })

  test('K4: counts arrays and objects towards the depth, and no bracket inside a string', () => {
    expect(parseStrictJson(`${'['.repeat(32)}${']'.repeat(32)}`)).toBeArray()
    expect(refusal(`${'['.repeat(33)}${']'.repeat(33)}`)).toBe('The JSON is nested too deeply')
    expect(refusal(`${'{"a":'.repeat(33)}1${'}'.repeat(33)}`)).toBe('The JSON is nested too deeply')
    expect(refusal('[{"a":[]}]', 2)).toBe('The JSON is nested too deeply')
    expect(parseStrictJson('[{"a":1},{"b":"[[[{{{"},[]]', { maxDepth: 2 })).toHaveLength(3)
  })

  test.each(['[', '{"a":', '[{"a":'])('refuses a hundred thousand of %j without running out of stack', (open) => {
    expect(refusal(open.repeat(100_000))).toBe('The JSON is nested too deeply')
    expect(refusal(open.repeat(100_000), Number.POSITIVE_INFINITY)).toBe('Malformed JSON')
  })

  test('checks deep values without recursion when the depth is not limited', () => {
    const text = `${'{"a":'.repeat(100_000)}{"b":1,"b":2}${'}'.repeat(100_000)}`
    expect(refusal(text, Number.POSITIVE_INFINITY)).toBe('A member of the JSON is given twice')
  })

  test('says nothing of the text, in the message or in the cause', () => {
    for (const text of ['{"password":hunter2}', '{"hunter2":1,"hunter2":2}', `${'{"hunter2":'.repeat(33)}`]) {
      expect(refusal(text)).not.toContain('hunter2')
      try {
        parseStrictJson(text)
      } catch (error) {
        expect((error as Error).cause).toBeUndefined()
      }
    }
  })
})
