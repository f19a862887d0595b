import { describe, expect, test } from 'bun:test'
import {
  isReservedUsername,
  loginIdentifier,
  normalizeImportedUsername,
  normalizeUsername,
  usernameKey,
} from '../../src/features/users/username.ts'

test('accepts names of the allowed letters and length, and folds their case for the key', () => {
  for (const username of ['abc', 'user123', 'testuser', 'Ada_Lovelace', 'a.b-c_d', '123', '...', '-_-', 'x'.repeat(32)])
    expect(normalizeUsername(username)).toEqual({ username, usernameKey: username.toLowerCase() })
})

test('refuses everything else', () => {
  for (const username of [
    '',
    'ab',
    '.',
    '..',
    'x'.repeat(33),
    'user name',
    ' user',
    'user\n',
    'user\0',
    'user@example.com',
    'user＠example',
    'a/b',
    'a\\b',
    'usér',
    'use\u0301r',
    'аdmin', // Cyrillic а
    '\u212aate', // Kelvin sign
    'ｕｓｅｒ',
    'us\u200der',
    'user\u202e',
    'a'.repeat(30_000),
  ])
    expect(normalizeUsername(username)).toBeUndefined()
})

describe('reserved names', () => {
  test('are reserved in any case and punctuation', () => {
    for (const name of [
      'admin',
      'root',
      'support',
      'me',
      'null',
      'undefined',
      'api',
      'well-known',
      'keyward',
      'postmaster',
    ])
      for (const spelling of [name, name.toUpperCase(), `_${name}_`, `.${name}`, `${name[0]}-${name.slice(1)}`])
        expect(isReservedUsername(spelling)).toBe(true)
  })

  test('are the only ones refused', () => {
    for (const name of [
      'user',
      'user123',
      'testuser',
      'test',
      'demo',
      'administrata',
      'rooted',
      'admin2',
      'constructor',
      '...',
    ])
      expect(isReservedUsername(name)).toBe(false)
  })
})

describe('a login identifier', () => {
  test('K12: with an @ is an address and nothing else', () => {
    expect(loginIdentifier('User@EXAMPLE.com')).toEqual({ emailKey: 'user@example.com' })
    for (const typed of ['@', 'user@', '@user', 'user@localhost', '\u00a0user@example.com', 'a@b@example.com'])
      expect(loginIdentifier(typed)).toBeUndefined()
  })

  test('without @ is a username in any case', () => {
    expect(loginIdentifier('User123')).toEqual({ usernameKey: 'user123' })
    // An imported account may have this name.
    expect(loginIdentifier('Jose\u0301 Garci\u0301a')).toEqual({ usernameKey: 'josé garcía' })
  })

  test('that the database cannot store or no user can have finds no user', () => {
    for (const typed of ['', 'user\0', 'us\ner', '\ud800user', 'a'.repeat(255), `a${'\u0301'.repeat(500_000)}`])
      expect(loginIdentifier(typed)).toBeUndefined()
  })
})

describe('imported names', () => {
  test('may have more characters than a registration allows', () => {
    for (const name of ['ab', 'José García', 'x'.repeat(254), 'a+b', 'имя', '用户', 'admin', '🦊'])
      expect(normalizeImportedUsername(name)).toEqual({ username: name, usernameKey: usernameKey(name) })
  })

  test('are refused if no login could name them', () => {
    for (const name of [
      '',
      'ada@example.com',
      'ada＠example.com',
      ' ada',
      'ada ',
      'ada\u00a0',
      'a\0b',
      'a\nb',
      'a\u009bb',
      'a\ud800',
      'a\ufffd',
      '\u200b',
      'x'.repeat(255),
    ])
      expect(normalizeImportedUsername(name)).toBeUndefined()
  })

  test('have the key that a login looks up, in any case', () => {
    for (const [name, typed] of [
      ['José', 'JOSE\u0301'],
      ['ΟΔΟΣ', 'οδος'],
      ['Straße', 'STRASSE'],
      ['ﬁona', 'Fiona'],
      ['ａｄａ', 'ADA'],
      ['a\u200dda', 'ada'],
      ['\u212aate', 'kate'],
      ['ſam', 'Sam'],
    ] as const)
      expect(loginIdentifier(typed)).toEqual({ usernameKey: normalizeImportedUsername(name)!.usernameKey })
    expect(loginIdentifier('\u200b')).toBeUndefined()
  })
})
