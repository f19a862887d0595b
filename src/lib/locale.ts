/** The languages in which Keyward writes to people, as BCP 47 tags. */
export const locales = ['en', 'de', 'fr', 'es', 'ja'] as const
export type Locale = (typeof locales)[number]

export const isLocale = (text: string): text is Locale => (locales as readonly string[]).includes(text)

/** A stored language, or English when none is stored. */
export const localeOr = (stored: string | null): Locale => (stored !== null && isLocale(stored) ? stored : 'en')

/**
 * The language of an `Accept-Language` header (RFC 9110 section 12.5.4) that suits best: the one with the highest
 * weight, and of equal ones the first. A region such as `de-AT` counts as its language.
 * @returns undefined when the header names none of the languages
 */
export function preferredLocale(header: string | null | undefined): Locale | undefined {
  // A longer header is not from a person's browser.
  if (!header || header.length > 1_000) return undefined
  let best: { locale: Locale; weight: number } | undefined
  for (const part of header.split(',')) {
    const [, tag = '', weightText = '1'] =
      /^\s*([a-z]{1,8})(?:-[a-z0-9-]*)?\s*(?:;\s*q=([01](?:\.\d{0,3})?)\s*)?$/i.exec(part) ?? []
    const locale = tag.toLowerCase()
    const weight = Number(weightText)
    if (isLocale(locale) && weight > 0 && weight > (best?.weight ?? 0)) best = { locale, weight }
  }
  return best?.locale
}
