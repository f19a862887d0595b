import type { Around, Saying } from '../../../../pages/texts/text.ts'

/** The refusals of the pages of this feature that are pages of their own. */
export type Failure = 'failed' | 'expired' | 'taken' | 'refused' | 'closed' | 'unverified' | 'addressTaken' | 'domain'

/** The texts of the pages to sign in with another service, in one language. */
export interface SocialTexts {
  address: {
    title: string
    intro: (provider: string) => string
    email: string
    button: string
    invalidEmail: string
  }
  code: {
    title: string
    sent: Around
    hint: string
    code: string
    button: string
    wrong: string
  }
  ask: {
    title: string
    account: Around
    /** Why the account has to be proved. */
    why: (provider: string) => string
    password: string
    button: string
    wrongPassword: string
    missingPassword: string
    code: { intro: string; button: string }
    startOver: { summary: string; effect: string; button: string }
  }
  failures: Record<Failure, Saying>
  /** The link to `/sign-in`. */
  back: string
}
