import { describe, expect, test } from 'bun:test'
import { invitationTexts } from '../../src/features/invitations/pages/texts/texts.ts'
import { catalogues } from '../../src/features/mail/messages/catalogues.ts'
import { openIdTexts } from '../../src/features/openid/pages/texts/texts.ts'
import { accountTexts } from '../../src/features/sign-in/pages/account/texts/texts.ts'
import { signInTexts } from '../../src/features/sign-in/pages/texts/texts.ts'
import { socialTexts } from '../../src/features/social/pages/texts/texts.ts'
import { verificationTexts } from '../../src/features/verification/pages/texts/texts.ts'
import { type Locale, locales } from '../../src/lib/locale.ts'
import { inWords } from '../../src/pages/problem.ts'
import { kitTexts } from '../../src/pages/texts/texts.ts'

/** Every text of a catalogue; a text with a value has the word `VALUE`. */
function textsIn(part: unknown): string[] {
  if (typeof part === 'string') return [part]
  if (typeof part === 'function') return [part('VALUE')]
  return Object.values(part as object).flatMap(textsIn)
}
const texts = (locale: Locale) =>
  textsIn(
    [catalogues, kitTexts, verificationTexts, invitationTexts, signInTexts, accountTexts, socialTexts, openIdTexts].map(
      (all) => all[locale],
    ),
  )

describe('13.5 the texts of pages and mails', () => {
  test('French has a space that does not break before high punctuation, Spanish opens its questions', () => {
    expect(texts('fr').filter((text) => /(?<!\u00a0)[?!;]| :/.test(text))).toEqual([])
    expect(texts('es').filter((text) => /[?¿!¡]/.test(text) && !/^¿[^?¿]*\?[^?¿]*$/.test(text))).toEqual([])
  })

  test('call one thing by one word', () => {
    const others = {
      de: /(?<!E-)\bMails?\b|Nachricht|jemand anderes/,
      fr: /\bmessages?\b|(?<!e-)\bmails?\b/i,
      es: /mensaje|contraseña nueva|dirección nueva|sirve\b/i,
    }
    for (const [locale, other] of Object.entries(others))
      expect(texts(locale as Locale).filter((text) => other.test(text))).toEqual([])
  })

  test('after a limit, say that nothing was changed, and when the next attempt is possible', () => {
    for (const locale of locales) {
      const { problems, waitFor } = kitTexts[locale]
      expect(waitFor('VALUE')).toStartWith(problems.rate_limited.text)
      expect(waitFor('VALUE')).toContain('VALUE')
    }
    const two = locales.map((locale) => inWords(2 * 86_400, locale))
    expect(two).toEqual(['in 2 days', 'in 2 Tagen', 'dans 2 jours', 'dentro de 2 días', '2 日後'])
    expect([59, 60, 61, 3_601].map((seconds) => inWords(seconds, 'en'))).toEqual([
      ...['in 59 seconds', 'in 1 minute', 'in 2 minutes', 'in 2 hours'],
    ])
  })
})
