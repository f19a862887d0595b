import { beforeEach, describe, expect, test } from 'bun:test'
import { chmodSync, chownSync, mkdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { readDotenv } from '../../src/config/dotenv.ts'
import { problemLine } from '../../src/config/problems.ts'
import { configKeys, keySchema, settingNames } from '../../src/config/schema.ts'
import { scratchFolder } from '../support/scratch.ts'
import { dotenv, load, OTHER_SECRET, problems, SECRET_KEY, settings } from './loading.ts'

let folder = ''
beforeEach(() => {
  folder = scratchFolder('secrets')
})

function fileWith(content: string | Uint8Array, name = 'secret'): string {
  const path = join(folder, name)
  writeFileSync(path, content)
  return path
}

const values: Record<string, string> = {
  DATABASE_URL: 'postgresql://ada:hunter2@host/db',
  SECRET_KEY,
  SECRET_KEY_PREVIOUS: OTHER_SECRET,
  JWT_SECRET: 'b3f1a2c4d5e6978877665544aabbccdde0f1a2b3c4d5e6f7',
  SMTP_URL: 'smtp://ada:p%40ss@mail.example.com',
  METRICS_TOKEN: 'k9f2m4x8q1w7z3v5',
}

describe('a secret in a file', () => {
  test('12.C2 is possible for every secret setting and for DATABASE_URL', () => {
    const withFile = settingNames.filter((name) => name.endsWith('_FILE'))
    expect(withFile).toEqual(Object.keys(values).map((name) => `${name}_FILE`))
    expect(configKeys.filter((name) => keySchema(name).secret && !settingNames.includes(`${name}_FILE`))).toEqual([])
  })

  test.each(Object.keys(values))('12.C2 %s_FILE is as good as the setting itself, in environment and .env', (name) => {
    const others = { ...(name !== 'SECRET_KEY' && { SECRET_KEY }), MAIL_FROM: 'no-reply@example.com' }
    const expected = load({ ...others, [name]: values[name] }).config
    for (const end of ['', '\n', '\r\n']) {
      const path = fileWith(values[name] + end)
      expect(load({ ...others, [`${name}_FILE`]: path }).config).toEqual(expected)
      expect(load(others, { dotenv: dotenv(`${name}_FILE=${path}`) }).config).toEqual(expected)
    }
  })

  test.each([
    ['environment and environment', { JWT_SECRET: OTHER_SECRET, JWT_SECRET_FILE: '/a' }, '', 'environment'],
    ['.env and environment', { JWT_SECRET_FILE: '/a' }, `JWT_SECRET=${OTHER_SECRET}`, '/srv/.env:1'],
    ['environment and .env', { JWT_SECRET: OTHER_SECRET }, 'JWT_SECRET_FILE=/a', 'environment'],
  ])('12.C2 beside the setting itself is an error: %s', (_, env, text, where) => {
    expect(problems(env, { dotenv: dotenv(text) })).toEqual([
      ['JWT_SECRET_FILE', `is set beside JWT_SECRET (${where}); set one of them`],
    ])
  })

  test('12.C2 the environment overrides .env for the file too, and an empty name counts as unset', () => {
    const right = fileWith(OTHER_SECRET)
    const options = { dotenv: dotenv('JWT_SECRET_FILE=/nowhere') }
    expect(settings({ JWT_SECRET_FILE: right }, options).JWT_SECRET).toBe(OTHER_SECRET)
    expect(settings({ JWT_SECRET_FILE: ' ' }).JWT_SECRET).toBeUndefined()
  })

  test('12.C2 that cannot be read is an error with the names of setting and file, and never the content', () => {
    const file = (content: string | Uint8Array, name: string) => fileWith(content, name)
    mkdirSync(join(folder, 'folder'))
    const cases: [path: string, message: string][] = [
      [
        join(folder, 'absent'),
        'cannot be read: there is no such file or folder; correct the path, or create the folder (ENOENT)',
      ],
      [join(folder, 'folder'), 'cannot be read: it is a folder; name a file (EISDIR)'],
      [join(file('x', 'plain'), 'below'), 'cannot be read: a part of the path is a file; correct the path (ENOTDIR)'],
      [file('', 'empty'), 'is empty'],
      [file('\n', 'line'), 'is empty'],
      [file(Uint8Array.of(0xff, 0xfe, 0x41), 'bytes'), 'is not UTF-8 text'],
      ['/dev/zero', 'has more than 65536 bytes'],
    ]
    for (const [path, message] of cases) {
      expect(problems({ JWT_SECRET_FILE: path })).toEqual([['JWT_SECRET_FILE', `${path} ${message}`]])
      // Once is enough: HS256 does not say again that JWT_SECRET is missing.
      expect(problems({ JWT_ALG: 'HS256', JWT_SECRET_FILE: path })).toHaveLength(1)
    }
    expect(problems({}, { dotenv: dotenv('PORT=1\nMETRICS_TOKEN_FILE=/nowhere') })).toEqual([
      [
        'METRICS_TOKEN_FILE',
        '/nowhere cannot be read: there is no such file or folder; correct the path, or create the folder (ENOENT)',
      ],
    ])
  })

  test('12.C2 with a wrong value is an error that names the file and shows nothing of it', () => {
    for (const [name, content] of [
      ['SECRET_KEY', 'hunter2hunter2'],
      ['JWT_SECRET', `${OTHER_SECRET}\n\n`],
      ['METRICS_TOKEN', 'hunter2 hunter2 hunter2'],
      ['DATABASE_URL', 'hunter2'],
    ] as const) {
      const path = fileWith(content, name)
      let message = ''
      try {
        load({ ...(name !== 'SECRET_KEY' && { SECRET_KEY }), [`${name}_FILE`]: path })
      } catch (error) {
        message = (error as Error).message
      }
      expect(message).toContain(`${name} (${path}): got `)
      expect(message).not.toContain('hunter2')
      expect(message).not.toContain(OTHER_SECRET)
    }
  })

  test('12.C2 whose setting is misspelt is found', () => {
    expect(load({ SECRET_KEY, JWT_SECRET_FIEL: '/a' }).warnings.map(problemLine)).toEqual([
      'JWT_SECRET_FIEL: is not a setting of Keyward, did you mean JWT_SECRET_FILE?',
    ])
  })
})

describe('a .env file', () => {
  const read = (text: string, mode: number) => {
    const path = join(folder, '.env')
    writeFileSync(path, text)
    chmodSync(path, mode)
    return { path, warnings: load({ SECRET_KEY }, { dotenv: readDotenv(path, { required: true })! }).warnings }
  }

  test.each([0o644, 0o640, 0o604, 0o660])('12.A11 with a secret and mode %o is a warning that names it', (mode) => {
    const { path, warnings } = read(`PORT=1\nMETRICS_TOKEN=${values.METRICS_TOKEN}`, mode)
    expect(warnings.map(problemLine)).toEqual([
      `${path}: others can read this file, which sets METRICS_TOKEN; run: chmod 600 ${path}`,
    ])
  })

  test('12.A11 of another user is a warning that names it, unless that user is root', () => {
    const { path } = read('PORT=1', 0o600)
    const { uid } = statSync(path)
    const warningsFor = (user: number) =>
      load({ SECRET_KEY }, { dotenv: readDotenv(path, { required: true, user })! }).warnings.map(problemLine)
    expect(warningsFor(uid)).toEqual([])
    const owned = `${path}: this file belongs to another user, who can change every setting in it`
    expect(warningsFor(uid + 1)).toEqual(uid === 0 ? [] : [owned])
    if (uid !== 0) return
    chownSync(path, 65_534, 65_534)
    expect(warningsFor(0)).toEqual([owned])
  })

  test('12.A11 is no warning for its owner alone, or without a secret', () => {
    expect(read(`METRICS_TOKEN=${values.METRICS_TOKEN}`, 0o600).warnings).toEqual([])
    expect(read('PORT=1\nMETRICS_TOKEN_FILE=', 0o644).warnings).toEqual([])
    expect(read('SECRET_KEY=\nDATABASE_URL=postgresql+psycopg://ada@host/db', 0o644).warnings).toEqual([])
    expect(read('DATABASE_URL=postgresql://ada:hunter2@host/db', 0o644).warnings.map(problemLine)).toEqual([
      expect.stringContaining('which sets DATABASE_URL; run: chmod 600'),
    ])
  })
})
