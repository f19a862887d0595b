import { expect, test } from 'bun:test'
import { maskSmtpUrl, parseSmtpUrl } from '../../src/lib/smtp-url.ts'

test('13.1 SMTP_URL: TLS unless it says otherwise, the usual ports, a masked password', () => {
  expect(parseSmtpUrl('smtps://ada:p%40ss@mail.example.com')).toEqual({
    host: 'mail.example.com',
    port: 465,
    tls: 'implicit',
    auth: { user: 'ada', pass: 'p@ss' },
    ca: undefined,
    shown: 'smtps://ada:********@mail.example.com',
  })
  expect(parseSmtpUrl('smtp://mail.example.com:2525?ca=/etc/ca.pem')).toMatchObject({
    port: 2525,
    tls: 'starttls',
    auth: undefined,
    ca: '/etc/ca.pem',
  })
  expect(parseSmtpUrl('smtp://mail.example.com')).toMatchObject({ port: 587, tls: 'starttls' })
  expect(parseSmtpUrl('smtp://relay?tls=none')).toMatchObject({ port: 587, tls: 'none' })
  expect(parseSmtpUrl('smtp://[::1]:25?tls=none')).toMatchObject({ host: '::1', port: 25 })
})

test('13.1 SMTP_URL: anything that could be meant otherwise is refused', () => {
  for (const text of [
    'mail.example.com',
    'http://mail.example.com',
    'smtp://',
    'smtp://host/path',
    'smtp://host#x',
    'smtp://host?tls=off',
    'smtp://host?secure=false',
    'smtp://host?ca=a&ca=b',
    'smtps://host?tls=none',
    'smtp://user@host',
    'smtp://:pass@host',
    'smtp://ada:%zz@host',
    // The password would be sent in the clear.
    'smtp://ada:pass@mail.example.com?tls=none',
  ])
    expect([text, parseSmtpUrl(text)]).toEqual([text, undefined])
  expect(parseSmtpUrl('smtp://ada:pass@127.0.0.1?tls=none')).toMatchObject({ auth: { user: 'ada', pass: 'pass' } })
  expect(maskSmtpUrl('smtp://ada:hunter2@host?x=1')).toBe('smtp:********')
})
