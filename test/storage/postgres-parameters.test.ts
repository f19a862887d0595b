import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { replaceParameters } from '../../src/storage/postgres-parameters.ts'
import { createDatabase } from '../support/postgres.ts'
import { openUrl } from './support.ts'

const replaced = (text: string) => replaceParameters(text, (number) => `<${number}>`)

describe('parameters are replaced', () => {
  test.each([
    ['select $1', 'select <1>'],
    ['$1', '<1>'],
    ['$1$2', '<1><2>'],
    ['select $12, $1,$2', 'select <12>, <1>,<2>'],
    ['"a"."b"=$1and($2)', '"a"."b"=<1>and(<2>)'],
    ["cast($1 as text) || '$1' || $2", "cast(<1> as text) || '$1' || <2>"],
    ["'it''s $1', $1", "'it''s $1', <1>"],
    ["'\\', $1", "'\\', <1>"],
    ["'', $1, ''", "'', <1>, ''"],
    ['a - $1 -- minus $1\n- $2', 'a - <1> -- minus $1\n- <2>'],
    ['1 /* $1 */ / $1', '1 /* $1 */ / <1>'],
    ['$$ $1 $$ || $1', '$$ $1 $$ || <1>'],
    ['select - $1', 'select - <1>'],
    ['a*$1/$2', 'a*<1>/<2>'],
  ])('in %s', (text, expected) => expect(replaced(text)).toBe(expected))
})

describe('no parameters are replaced', () => {
  test.each([
    ['in a string', "'$1'"],
    ['in a string with quotes', "'a''$1''b'"],
    ['in an escape string', "E'\\'$1', e'\\\\\\'$1'"],
    ['in a string after a name that ends in e', "note'$1'"],
    ['in a string with a prefix', "U&'$1' B'$1' N'$1'"],
    ['in a string of several lines', "'a\n$1\n'"],
    ['in a quoted name', '"$1" "a""$1"'],
    ['in a name', 'a$1 _$1 é$1 a$b$1'],
    ['in a line comment', '-- $1'],
    ['in a block comment', '/* $1 */'],
    ['in a nested comment', '/* a /* $1 */ $1 */'],
    ['in a comment without an end', '/* $1 '],
    ['in a dollar quote', '$$ $1 $$'],
    ['in a dollar quote with a name', '$tag$ $1 $$ $1 $other$ $tag$'],
    ['where there is none', 'select \'a\', "b" -- c'],
  ])('%s', (_, text) => expect(replaced(text)).toBe(text))
})

test('a text with its own parameters in place stays the same, whatever surrounds them', () => {
  const piece = fc.constantFrom(
    "'",
    '"',
    '$',
    '$1',
    '$a$',
    '--',
    '\n',
    '/*',
    '*/',
    'e',
    'E',
    '\\',
    ' ',
    '1',
    '\u{1f600}',
  )
  fc.assert(
    fc.property(fc.array(piece), (pieces) => {
      expect(replaceParameters(pieces.join(''), (number) => `$${number}`)).toBe(pieces.join(''))
    }),
  )
})

test('PostgreSQL itself finds parameters in the same places', async () => {
  const database = await createDatabase()
  const { rows, close } = await openUrl(database.url)
  const pieces = [
    "'$1'",
    "'it''s $1'",
    "E'\\'$1'",
    "'\\'",
    '$$ $1 $$',
    '$a$ $1 $$ $1 $a$',
    '/* $1 */ 2',
    '/* /* $1 */ $1 */ 2',
    '3 -- $1\n',
    '1 AS "$1"',
    '1 AS a$1',
    "E'\\\\'",
    "U&'$1'",
  ]
  for (const piece of pieces) {
    const text = `SELECT ${piece}, $1::bigint`
    const [expected] = await rows(text, [7])
    const literal = replaceParameters(text, () => '7')
    expect(await rows(literal), text).toEqual([expected!])
  }
  await close()
  await database.drop()
})
