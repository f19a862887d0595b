import type { Around, Saying } from '../../../../pages/texts/text.ts'

/** The texts of the page behind an invitation, in one language. */
export interface InvitationTexts {
  title: string
  /** Names the account by its address. */
  account: Around
  /** Tells what the form will do. */
  effect: string
  /** Stands above the form of the first administrator. */
  firstAdmin: string
  /** Stands above the form of the first administrator for an account that exists. */
  existing: string
  username: string
  usernameTaken: string
  invalidUsername: string
  button: string
  done: Saying
  /** The link is unknown, used, expired or void. */
  dead: Saying
}
