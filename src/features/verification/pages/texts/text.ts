import type { Around, Saying } from '../../../../pages/texts/text.ts'

/** A page that changes the address of an account. */
interface AddressTexts {
  title: string
  /** Names the account by its present address. */
  account: Around
  /** Names the address that the account gets. */
  next: Around
  effect: string
  button: string
  done: Saying
  dead: Saying
}

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
    /** The page after the form was sent. Its text is the same for every address. */
    sent: Saying
    /** The link back to the form. */
    again: string
  }
  /** The page behind the link to choose a new password. */
  reset: {
    title: string
    account: Around
    /** Tells what the form will do. */
    effect: string
    button: string
    done: Saying
    /** The link is unknown, used, expired or void. */
    dead: Saying
    /** The link to `/forgot`. */
    askAgain: string
  }
  /** The page behind the link that proves an address. */
  verify: {
    title: string
    account: Around
    /** Why the page asks for a password. */
    why: string
    password: string
    button: string
    wrongPassword: string
    missingPassword: string
    /** For a person who does not know the password of the account. */
    other: { summary: string; effect: string; button: string }
    /** The field for another username; shown when the username of a registration was taken meanwhile. */
    username: string
    usernameTaken: string
    invalidUsername: string
    done: Saying
    dead: Saying
  }
  /** The page behind the link that changes the address of an account. */
  confirm: AddressTexts & { taken: Saying }
  /** The page behind the link that brings the former address of an account back. */
  undo: AddressTexts
  /** The page behind the link that removes all second factors of an account. */
  recovery: {
    title: string
    account: Around
    effect: string
    password: string
    button: string
    wrongPassword: string
    missingPassword: string
    done: Saying
    dead: Saying
  }
}
