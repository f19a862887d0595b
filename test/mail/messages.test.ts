import { describe, expect, test } from 'bun:test'
import { hasProof, mailKinds, mailProofs, proofValues } from '../../src/features/mail/kinds.ts'
import { catalogues } from '../../src/features/mail/messages/catalogues.ts'
import type { LinkMessage, Message } from '../../src/features/mail/messages/message.ts'
import { render } from '../../src/features/mail/render.ts'
import { createTemplates } from '../../src/features/mail/templates.ts'
import { type Locale, locales } from '../../src/lib/locale.ts'

type Kind = keyof typeof mailKinds
const kinds = Object.keys(mailKinds) as Kind[]
const builtIn = createTemplates(undefined)
const brand = { app: 'Example & Sons', support: 'help@example.com' }
const values = {
  username: 'ada',
  time: '1 January 2026 at 00:00 (UTC)',
  ip: '192.0.2.1',
  device: 'Firefox on macOS',
  provider: 'GitHub',
  address: 'n•••@e•••.com',
  due: '2026-12-07',
  factor: 'Phone',
  left: '9',
}
const link = 'https://auth.example.com/page?kind=reset&token=kwm_abc'
const proof = { link, code: '012345', minutes: '30', code_minutes: '10', until: 'tomorrow' }
const proofOf = (kind: Kind) => (hasProof(kind) ? proof : {})
const rendered = (kind: Kind, locale: Locale, more: Record<string, string> = {}) =>
  render(builtIn, brand, { kind, locale, details: JSON.stringify({ ...values, ...more }) }, proofOf(kind))

const placeholders = (texts: readonly string[]) =>
  [...texts.join(' ').matchAll(/\{\{(\w+)\}\}/g)].map(([, name]) => name)

describe('the messages', () => {
  test('13.3 name only values that their kind has, the same in every language', () => {
    for (const kind of kinds)
      for (const locale of locales) {
        const textsOf = (message: Message | LinkMessage) => [
          ...[message.subject, ...message.before, ...message.after],
          ...('button' in message ? [message.button, message.lifetime] : []),
        ]
        const { before, after } = catalogues[locale].messages[kind]
        const english = catalogues.en.messages[kind]
        const ofProof = hasProof(kind) ? proofValues : []
        const allowed: readonly string[] = ['app', 'username', 'support', ...mailKinds[kind], ...ofProof]
        const named = placeholders(textsOf(catalogues[locale].messages[kind]))
        expect(named.filter((name) => !allowed.includes(name!))).toEqual([])
        expect(new Set(named)).toEqual(new Set(placeholders(textsOf(english))))
        expect([before.length, after.length]).toEqual([english.before.length, english.after.length])
      }
  })

  test('13.3 are whole in text and HTML: no placeholder is left, and every fact is there', () => {
    for (const kind of kinds)
      for (const locale of locales) {
        const { subject, text, html } = rendered(kind, locale)
        expect(`${subject}${text}${html}`).not.toMatch(/\{\{|\}\}|undefined/)
        expect(html).toContain(`<html lang="${locale}">`)
        for (const name of mailKinds[kind]) {
          expect(text).toContain(values[name])
          expect(html).toContain(values[name])
        }
        expect(text).toContain('\n\n-- \n')
      }
  })

  test('13.3 load nothing from outside, and run nothing', () => {
    for (const kind of kinds) {
      const { html } = rendered(kind, 'en')
      // The link of a proof leads somewhere when its reader follows it, and loads nothing.
      expect(html.replaceAll(link.replace('&', '&#38;'), '').replace('<a class="button" href="">', '')).not.toMatch(
        /https?:|url\(|src=|<script|<link|<img|@import/i,
      )
    }
  })

  test('13.3 show a link as a button and as an address, and in the text on a line of its own', () => {
    for (const kind of kinds.filter((one) => hasProof(one) && mailProofs[one].page !== 'none'))
      for (const locale of locales) {
        const { text, html } = rendered(kind, locale)
        expect(text.split('\n')).toContain(link)
        expect(text.split('\n')).toContain('012345')
        const escaped = link.replace('&', '&#38;')
        expect(html).toContain(`href="${escaped}">`)
        expect(html).toContain(`>${escaped}</p>`)
      }
  })

  test('13.3 a mail to log in without LOGIN_URL has the code and no link', () => {
    const { text, html } = render(
      builtIn,
      brand,
      { kind: 'log_in', locale: 'en', details: '{}' },
      { ...proof, link: undefined },
    )
    expect(text).toContain('\n012345\n')
    expect(`${text}${html}`).not.toMatch(/https?:|<a |The link works/)
  })

  test('13.3 H14: text that a user chose is escaped in HTML, and is no link in the text', () => {
    const evil = '<a href=//evil.example>x</a>'
    const { text, html } = rendered('password_changed', 'en', { username: evil, ip: '<b>"\'&' })
    expect(html).not.toContain('<a ')
    expect(html).not.toContain('<b>')
    expect(html).toContain('&#60;b&#62;&#34;&#39;&#38;')
    expect(text).toStartWith('Hello,\n')
    for (const name of ['evil.example', 'https://evil', 'a@b', 'evil/x', 'a:b'])
      expect(rendered('password_changed', 'en', { username: name }).text).not.toContain(name)
  })

  test('13.3 leave out facts that are not known, and the support line without SUPPORT_EMAIL', () => {
    const { text } = render(
      builtIn,
      { app: 'Example', support: undefined },
      { kind: 'password_changed', locale: 'en', details: '{"time":"now"}' },
    )
    expect(text).toContain('Time: now')
    expect(text).not.toContain('IP address')
    expect(text).not.toContain('Questions?')
  })
})
