import type { Saying } from '../../../../pages/texts/text.ts'
import type { WeaknessReason } from '../../../passwords/passwords.ts'

/** The texts of the pages of this feature, in one language. */
export interface VerificationTexts {
  /** The page where a user asks for a link to choose a new password. */
  forgot: {
    title: string
    intro: string
    email: string
    button: string
    /** The error of the field. */
    invalidEmail: string
    /** After the form was sent. It says the same for every address. */
    sent: Saying
    /** The link back to the form. */
    again: string
  }
  /** The page behind the link to choose a new password. */
  reset: {
    title: string
    /** Before and after the masked address. */
    account: { before: string; after: string }
    /** What happens. */
    effect: string
    button: string
    done: Saying
    /** The link is unknown, used, expired or void. */
    dead: Saying
    /** The link to `/forgot`. */
    askAgain: string
  }
  newPassword: {
    label: string
    hint: (minLength: number) => string
    errors: Record<WeaknessReason, (minLength: number) => string>
    /** For an error without a reason. */
    refused: string
  }
}
