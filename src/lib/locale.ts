/** The languages of Keyward's mails and pages, as BCP 47 tags. */
export const locales = ['en', 'de', 'fr', 'es', 'ja'] as const
export type Locale = (typeof locales)[number]

export const isLocale = (text: string): text is Locale => (locales as readonly string[]).includes(text)

/** Returns a stored language. Returns English when no language is stored, or one that Keyward does not have. */
export const localeOr = (stored: string | null): Locale => (stored !== null && isLocale(stored) ? stored : 'en')

/**
 * Returns the first language of a list of tags that Keyward has (`ui_locales` of OpenID Connect Core section 3.1.2.1). A
 * tag with a region, such as `de-AT`, counts as its language.
 */
export const firstLocale = (tags: string): Locale | undefined =>
  tags
    .split(' ')
    .map((tag) => tag.split('-', 1)[0]!.toLowerCase())
    .find(isLocale)

/**
 * Returns the best language for an `Accept-Language` header (RFC 9110 section 12.5.4): the language with the highest
 * weight, and the first one when weights are equal. A tag with a region, such as `de-AT`, counts as its language.
 * @returns undefined when the header names none of `locales`, or has more than 1000 characters
 */
export function preferredLocale(header: string | null | undefined): Locale | undefined {
  // A longer header does not come from a person's browser. The limit keeps the work small.
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
