import type { WeaknessReason } from '../../features/passwords/passwords.ts'
import type { Locale } from '../../lib/locale.ts'

/** A page or a part of a page that only says something. */
export interface Saying {
  title: string
  text: string
}

/** The parts of a sentence before and after a masked address. */
export interface Around {
  before: string
  after: string
}

/**
 * The refusals that any page may answer. `bad_request` is about a form, and `bad_address` about a request without one.
 */
export type CommonProblem =
  | 'bad_request'
  | 'bad_address'
  | 'csrf_refused'
  | 'not_found'
  | 'rate_limited'
  | 'busy'
  | 'mail_not_configured'
  | 'internal'

/** The texts that all pages share, in one language. */
export interface KitTexts {
  /** The last line of every page if SUPPORT_EMAIL is set. The address stands between `before` and `after`. */
  support: { before: string; after: string }
  /** The title of a page that shows a form again because of an error. */
  titleWithError: (title: string) => string
  /** The link to the application on the page after a successful form. */
  toApp: (app: string) => string
  /** The link from an error page to the page's form. */
  again: string
  /** The text of `rate_limited` when the time of the next attempt is known. `when` is a text such as "in 2 minutes". */
  waitFor: (when: string) => string
  problems: Record<CommonProblem, Saying>
  /** The field for a new password. */
  newPassword: {
    label: string
    hint: (minLength: number) => string
    errors: Record<WeaknessReason, (minLength: number) => string>
    /** The error for a reason that `errors` does not have. */
    refused: string
  }
}

/** One value for each language. A feature has its own catalogue of this shape for its pages. */
export type InLanguages<T> = Record<Locale, T>
