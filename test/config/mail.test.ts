import { expect, test } from 'bun:test'
import { load, problems, SECRET_KEY, settings } from './loading.ts'

const SMTP_URL = 'smtp://ada:hunter2@mail.example.com'

test('13.1 SMTP_URL needs MAIL_FROM', () => {
  expect(problems({ SMTP_URL })).toEqual([['MAIL_FROM', expect.stringContaining('is not set; takes an address')]])
  expect(settings({ SMTP_URL, MAIL_FROM: 'no-reply@example.com' }).SMTP_URL).toMatchObject({ tls: 'starttls' })
})

test('13.1 a refused SMTP_URL is named without its password', () => {
  for (const text of [`${SMTP_URL}?tls=off`, 'smtp://ada:hunter2@mail.example.com?tls=none', 'ada:hunter2@mail']) {
    const found = problems({ SMTP_URL: text, MAIL_FROM: 'a@example.com' })
    expect(found).toEqual([['SMTP_URL', expect.stringContaining('********')]])
    expect(JSON.stringify(found)).not.toContain('hunter2')
  }
})

test('13.1 MAIL_FROM is one address, with or without a plain name; SUPPORT_EMAIL is an address', () => {
  for (const text of ['no-reply@example.com', 'Example <no-reply@example.com>', 'Exämple Shop <a@b.co>'])
    expect(settings({ MAIL_FROM: text }).MAIL_FROM).toBe(text)
  for (const text of [
    'example.com',
    'a@b.co, c@d.co',
    'A <a@b.co>, C <c@d.co>',
    'A <a@b.co',
    '"A" <a@b.co>',
    'A (x) <a@b.co>',
    'a@b.co\r\nBcc: c@d.co',
    'A <a@b@c.co>',
  ])
    expect([text, problems({ MAIL_FROM: text }).map(([key]) => key)]).toEqual([text, ['MAIL_FROM']])
  expect(settings({ SUPPORT_EMAIL: 'help@example.com' }).SUPPORT_EMAIL).toBe('help@example.com')
  expect(problems({ SUPPORT_EMAIL: 'Help <help@example.com>' })).toHaveLength(1)
})

test('13.3 APP_NAME is a line of at most 64 characters', () => {
  expect(settings({}).APP_NAME).toBe('Keyward')
  expect(settings({ APP_NAME: 'ä'.repeat(64) }).APP_NAME).toHaveLength(64)
  for (const text of ['ä'.repeat(65), 'a\nb']) expect(problems({ APP_NAME: text })).toHaveLength(1)
})

test('13.1 the settings of mail show no password', () => {
  const { config } = load({ SECRET_KEY, SMTP_URL, MAIL_FROM: 'a@example.com' })
  expect(config.SMTP_URL?.shown).toBe('smtp://ada:********@mail.example.com')
})

test('13.5 PAGES=off with a mail server needs LINK_URL; these settings are web addresses', () => {
  const mail = { SMTP_URL, MAIL_FROM: 'no-reply@example.com' }
  expect(problems({ ...mail, PAGES: 'off' })).toEqual([['LINK_URL', expect.stringContaining('with PAGES=off')]])
  expect(problems({ ...mail, PAGES: 'off', LINK_URL: 'app' }).map(([key]) => key)).toEqual(['LINK_URL'])
  expect(settings({ PAGES: 'off' }).PAGES).toBe('off')
  expect(settings({ ...mail, PAGES: 'off', LINK_URL: 'https://app.example.com/m/' }).LINK_URL).toBe(
    'https://app.example.com/m',
  )
  for (const name of ['LINK_URL', 'LOGIN_URL', 'APP_URL'])
    for (const text of [
      'javascript:alert(1)',
      'app.example.com',
      'https://a@b.example',
      'https://app.example.com/?next=x',
    ])
      expect([text, problems({ [name]: text }).map(([key]) => key)]).toEqual([text, [name]])
})

test('13.6 REQUIRE_EMAIL_VERIFICATION needs SMTP_URL, or the mailbox of --dev', () => {
  const wanted = { REQUIRE_EMAIL_VERIFICATION: 'true' }
  expect(problems(wanted)).toEqual([
    ['SMTP_URL', expect.stringContaining('REQUIRE_EMAIL_VERIFICATION=true sends mails')],
  ])
  expect(settings(wanted, { dev: true }).REQUIRE_EMAIL_VERIFICATION).toBe('true')
  expect(settings({ ...wanted, SMTP_URL, MAIL_FROM: 'a@example.com' }).REQUIRE_EMAIL_VERIFICATION).toBe('true')
  // A wrong SMTP_URL is named once, as wrong.
  expect(problems({ ...wanted, SMTP_URL: 'x', MAIL_FROM: 'a@example.com' })).toHaveLength(1)
})
