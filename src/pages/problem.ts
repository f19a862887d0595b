import type { ErrorCode, KeywardError } from '../errors.ts'
import type { Locale } from '../lib/locale.ts'
import type { CommonProblem, KitTexts, Saying } from './texts/text.ts'

/** The key in `KitTexts.problems` for each error code that has one. All other codes use `bad_request` or `bad_address`. */
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

/** The text of a refusal in the language of a page. For `rate_limited`, it tells when the next attempt is possible. */
export function problemOf(
  { code, retryAfter }: KeywardError,
  { request, locale, texts }: { request: Pick<Request, 'method'>; locale: Locale; texts: KitTexts },
): Saying {
  const { title, text } = texts.problems[textsOf[code] ?? (request.method === 'POST' ? 'bad_request' : 'bad_address')]
  const isLimited = code === 'rate_limited' && retryAfter !== undefined
  return { title, text: isLimited ? texts.waitFor(inWords(retryAfter, locale)) : text }
}

/** Writes a number of seconds as whole seconds, minutes, hours or days, rounded up: "in 2 minutes". */
export function inWords(seconds: number, locale: Locale): string {
  const [unit, size] = units.find(([, size]) => seconds >= size) ?? units.at(-1)!
  return new Intl.RelativeTimeFormat(locale).format(Math.ceil(seconds / size), unit)
}

const units = [
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
  ['second', 1],
] as const
