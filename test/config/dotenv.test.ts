import { afterAll, describe, expect, test } from 'bun:test'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { dotenvLine, parseDotenv, readDotenv } from '../../src/config/dotenv.ts'
import { ConfigError } from '../../src/config/problems.ts'

const valuesOf = (text: string) => {
  const { entries, problems } = parseDotenv(text)
  expect(problems).toEqual([])
  return Object.fromEntries([...entries].map(([key, { value }]) => [key, value]))
}

describe('a line', () => {
  test.each([
    ['KEY=value', 'value'],
    ['KEY=', ''],
    ['  KEY = value  ', 'value'],
    ['export KEY=value', 'value'],
    ['export\tKEY=value', 'value'],
    ['KEY=a=b=c', 'a=b=c'],
    ['KEY=value # comment', 'value'],
    ['KEY=value\t# comment', 'value'],
    ['KEY=va#lue', 'va#lue'],
    ['KEY=#value', '#value'],
    ['KEY= # comment', ''],
    ['KEY=two words', 'two words'],
    ["KEY='single # $HOME \\n'", 'single # $HOME \\n'],
    ["KEY=''", ''],
    ['KEY="double # \'x\'"', "double # 'x'"],
    ['KEY="a\\nb\\tc\\r\\"d\\" \\\\ \\$e"', 'a\nb\tc\r"d" \\ $e'],
    ['KEY="value" # comment', 'value'],
    ['KEY="value"   ', 'value'],
    ["KEY=it's", "it's"],
    ['KEY=$HOME/$OTHER', '$HOME/$OTHER'],
    ['KEY=back\\nslash', 'back\\nslash'],
  ])('%j means %j', (line, value) => {
    expect(valuesOf(line)).toEqual({ KEY: value })
  })

  test.each([
    ['no assignment', 'just words', 'is not KEY=value'],
    ['no key', '=value', 'is not KEY=value'],
    ['an export without a value', 'export KEY', 'is not KEY=value'],
    ['a key with a space', 'MY KEY=value', 'is not KEY=value'],
    ['a key that begins with a digit', '1KEY=value', 'is not KEY=value'],
    ['an open single quote', "KEY='value", 'has a quote that is not closed on the same line'],
    ['an open double quote', 'KEY="value\\"', 'has a quote that is not closed on the same line'],
    ['text behind a quote', 'KEY="value"more', 'has text behind the closing quote'],
    ['a hash glued to a quote', "KEY='value'#more", 'has text behind the closing quote'],
    ['an unknown escape', 'KEY="C:\\data"', /unknown escape/],
    ['a NUL', 'KEY=\0value', /NUL/],
  ])('%s is a problem of that line', (_, line, message) => {
    const { entries, problems } = parseDotenv(`# first\n${line}\nNEXT=1`)
    expect(problems).toEqual([{ line: 2, message: expect.stringMatching(message) }])
    expect([...entries.keys()]).toEqual(['NEXT'])
  })

  test('what a refused line holds is not repeated', () => {
    const { problems } = parseDotenv('SECRET_KEY hunter2\nSECRET_KEY="hunter2\nSECRET_KEY="hunter2"hunter2')
    expect(problems).toHaveLength(3)
    expect(JSON.stringify(problems)).not.toContain('hunter2')
  })
})

describe('a file', () => {
  test('comments, blank lines, CRLF and a byte order mark are fine, and lines are counted', () => {
    const { entries, problems } = parseDotenv('\uFEFFA=1\r\n\r\n  # B=2\r\nC="3"\r\nD=4\n')
    expect(problems).toEqual([])
    expect(Object.fromEntries(entries)).toEqual({
      A: { value: '1', line: 1 },
      C: { value: '3', line: 4 },
      D: { value: '4', line: 5 },
    })
  })

  test('a key set twice is a problem of the second line', () => {
    const { entries, problems } = parseDotenv('A=1\n\nA=2')
    expect(problems).toEqual([{ line: 3, message: 'sets A again, line 1 already does' }])
    expect(entries.get('A')?.value).toBe('1')
  })

  test('names of Object.prototype are ordinary keys', () => {
    expect([...parseDotenv('__proto__=x\nconstructor=y').entries.keys()]).toEqual(['__proto__', 'constructor'])
  })

  test('what dotenvLine writes is read back exactly', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (value) => {
        fc.pre(!value.includes('\0'))
        expect(valuesOf(dotenvLine('KEY', value))).toEqual({ KEY: value })
      }),
    )
    for (const value of ['\n\r\t', ' x ', '#', '$A', `'"\\`, 'C:\\new', '\uFEFF', '\u00a0', '\u2028'])
      expect(valuesOf(`A=1\n${dotenvLine('KEY', value)}\nB=2`)).toEqual({ A: '1', KEY: value, B: '2' })
  })
})

describe('reading', () => {
  const folder = mkdtempSync(join(tmpdir(), 'keyward-dotenv-'))
  afterAll(() => rmSync(folder, { recursive: true }))

  test('a file that is there', () => {
    const path = join(folder, '.env')
    writeFileSync(path, 'PORT=9000\n')
    const file = readDotenv(path, { required: false })
    expect(file?.path).toBe(path)
    expect(file?.entries.get('PORT')).toEqual({ value: '9000', line: 1 })
  })

  test('a file that is not there is missed only where it was asked for', () => {
    const path = join(folder, 'absent')
    expect(readDotenv(path, { required: false })).toBeUndefined()
    expect(() => readDotenv(path, { required: true })).toThrow(
      `${path}: cannot be read: there is no such file or folder; correct the path, or create the folder (ENOENT)`,
    )
  })

  test('a folder of that name, such as a Python environment, is no file', () => {
    const path = join(folder, 'venv')
    mkdirSync(path)
    expect(readDotenv(path, { required: false })).toBeUndefined()
    expect(() => readDotenv(path, { required: true })).toThrow(ConfigError)
  })

  test('another encoding is said to be one', () => {
    const path = join(folder, 'utf16')
    writeFileSync(path, Buffer.from('\uFEFFPORT=1', 'utf16le'))
    expect(() => readDotenv(path, { required: true })).toThrow(`${path}: is not UTF-8 text`)
  })
})
