import type { ErrorCode, KeywardError } from '../errors.ts'
import type { Locale } from '../lib/locale.ts'
import type { CommonProblem, KitTexts, Saying } from './texts/text.ts'

/** The key in `KitTexts.problems` for each error code that has one. All other codes use the text of `bad_request`. */
const textsOf: Partial<Record<ErrorCode, CommonProblem>> = {
  csrf_refused: 'csrf_refused',
  not_found: 'not_found',
  rate_limited: 'rate_limited',
  database_busy: 'busy',
  database_unavailable: 'busy',
  overloaded: 'busy',
  mail_not_configured: 'mail_not_configured',
  internal: 'internal',
}

/** The text of a refusal in the language of a page. For `rate_limited`, it tells the time until the next attempt. */
export function problemOf(
  { code, retryAfter }: KeywardError,
  { locale, texts }: { locale: Locale; texts: KitTexts },
): Saying {
  const { title, text } = texts.problems[textsOf[code] ?? 'bad_request']
  const isLimited = code === 'rate_limited' && retryAfter !== undefined
  return { title, text: isLimited ? texts.waitFor(inWords(retryAfter, locale)) : text }
}

/** Writes a number of seconds as whole seconds, minutes, hours or days, rounded up: "2 minutes". */
export function inWords(seconds: number, locale: Locale): string {
  const [unit, size] = units.find(([, size]) => seconds >= size) ?? units.at(-1)!
  return new Intl.NumberFormat(locale, { style: 'unit', unit, unitDisplay: 'long' }).format(Math.ceil(seconds / size))
}

const units = [
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
  ['second', 1],
] as const
