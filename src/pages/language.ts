import type { BrowserSession } from '../features/sessions/sessions.ts'
import type { SignInRequest } from '../features/sign-in/sign-in.ts'
import { firstLocale, isLocale, type Locale, preferredLocale } from '../lib/locale.ts'

/** What a request for a page tells about the language of its reader. */
export interface Reader {
  /** The parameters of the query or of the form. */
  input: Readonly<Record<string, string>>
  /** The request of an application that the page carries along. */
  asked: Pick<SignInRequest, 'locale'> | undefined
  /** The session of the browser. It is read only if nothing before it decides. */
  browser(): Promise<Pick<BrowserSession, 'user'> | undefined>
  /** The header `Accept-Language`. */
  header: string | null
}

/**
 * Decides the language of a page. The first of these that names a language of Keyward decides:
 * 1. `ui_locales`, which an application sends to `/authorize` or `/end-session` (OpenID Connect Core section 3.1.2.1)
 * 2. the language in the profile of the user who is logged in
 * 3. `Accept-Language`
 *
 * Otherwise the page is in English.
 */
export async function languageOf({ input, asked, browser, header }: Reader): Promise<Locale> {
  const wanted = firstLocale(input.ui_locales ?? '') ?? asked?.locale
  if (wanted) return wanted
  const own = (await browser())?.user.locale ?? ''
  return isLocale(own) ? own : languageOfHeader(header)
}

/** The language of a page that is made before its request is read, such as the refusal of a form of another site. */
export const languageOfHeader = (header: string | null): Locale => preferredLocale(header) ?? 'en'
