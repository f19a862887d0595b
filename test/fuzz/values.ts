import fc from 'fast-check'
import { liveValues } from './world.ts'

/** Texts that are known to break parsers. */
export const hostileTexts = [
  '',
  ' ',
  '\t\n',
  '\0',
  'ada\0',
  '\r\nSet-Cookie: a=b',
  '\u001b[31mred\u0007',
  '\ud800',
  'a\udfffb',
  '\ufeff',
  '\uffff\u{10ffff}',
  '\u202egnp.exe',
  'Z\u0351\u036f\u0363a\u035bl\u0366g\u0368o',
  '\u0130\u0131\ufb01\u1e9e',
  '＠ａｄａ',
  '👩‍👩‍👧‍👦',
  "' OR 1=1 --",
  '"; DROP TABLE users; --',
  '%00%ff%u0000',
  '{{7*7}}<%= 7*7 %>',
  '<script>alert(1)</script>',
  '../../../../etc/passwd',
  'file:///etc/passwd',
  '__proto__',
  'constructor',
  'toString',
  'null',
  'undefined',
  'NaN',
  'true',
  '0',
  '-0',
  '1e400',
  '9007199254740993',
  '99999999999999999999',
  '2147483648',
  '-1',
  'a@b',
  'a@b@c.de',
  `${'a'.repeat(64)}@${'b.'.repeat(90)}de`,
  `${'a@'.repeat(15_000)}a`,
  `${'a.'.repeat(15_000)}!`,
  'x'.repeat(300),
  'ß'.repeat(30_000),
  '🦄'.repeat(256),
  ' ada ',
  'ADA',
  'admin',
  'kw_',
  'kwr_',
  'kwr_AQ',
  'a.b.c',
  '..',
  'eyJhbGciOiJub25lIn0.e30.',
  'Bearer',
  'refresh_token',
  'password',
] as const

export const live = fc.constantFrom(...liveValues).map((name) => `{{${name}}}`)

/** A valid value with one character changed, cut short, or extended. */
export const mangled = fc
  .tuple(fc.constantFrom(...liveValues), fc.constantFrom('^', '<', '>'), fc.nat({ max: 600 }))
  .map(([name, how, at]) => `{{${name}${how}${at}}}`)

export const text: fc.Arbitrary<string> = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...hostileTexts) },
  { weight: 2, arbitrary: fc.string({ unit: 'binary', maxLength: 40 }) },
  { weight: 2, arbitrary: fc.string({ maxLength: 300 }) },
  { weight: 1, arbitrary: fc.emailAddress() },
  { weight: 1, arbitrary: live },
  { weight: 1, arbitrary: mangled },
)

export const json: fc.Arbitrary<unknown> = fc.oneof(
  { weight: 3, arbitrary: text },
  { weight: 2, arbitrary: fc.jsonValue({ maxDepth: 3 }) },
  {
    weight: 2,
    arbitrary: fc.constantFrom<unknown>(null, true, 0, -1, 1.5, 1e308, 2 ** 53, [], {}, [[]], [null], { a: {} }),
  },
  { weight: 1, arbitrary: fc.array(text, { maxLength: 3 }) },
  { weight: 1, arbitrary: fc.dictionary(text, fc.jsonValue({ maxDepth: 1 }), { maxKeys: 3 }) },
)

/** A valid value for a member of this name. */
export const meant: Record<string, readonly unknown[]> = {
  username: ['{{username}}', '{{email}}', '{{fresh}}'],
  email: ['{{email}}', '{{fresh}}@example.com'],
  password: ['{{password}}'],
  current_password: ['{{password}}'],
  new_password: ['a quite new and long one'],
  refresh_token: ['{{refresh_token}}'],
  device_token: ['{{device_token}}'],
  grant_type: ['password', 'refresh_token'],
  token: ['{{refresh_token}}', '{{access_token}}', '{{ended_token}}', '{{api_key}}'],
  token_type_hint: ['access_token', 'refresh_token'],
  id: ['{{session_id}}', '{{user_id}}', '{{admin_id}}', '{{deputy_id}}'],
  user_id: ['{{user_id}}', '{{admin_id}}'],
  role: ['admin', 'user', 'support'],
  reason: ['Left the company'],
  is_active: [true, false],
  name: ['support', 'Ada L.'],
  permissions: [['users:read'], []],
  roles: [['user'], []],
}

/** Members that no route expects. */
export const intruders = fc.oneof(
  fc.constantFrom('__proto__', 'constructor', 'prototype', 'id', 'role', 'roles', 'is_admin', 'is_active', 'toString'),
  fc.constantFrom('email_verified', 'password_hash', 'user_id', 'client_id', 'client_secret', 'scope', ''),
  text,
)
