import type { Saying } from '../../../../../pages/texts/text.ts'

/** The texts of the pages of an account, in one language. */
export interface AccountTexts {
  overview: {
    title: string
    /** Stands beside an address that is not proved. */
    notVerified: string
    logOut: string
  }
  /** The link from a page below to the overview. */
  back: string
  saved: string
  /** The field that asks for the password, because the last login is too old. */
  confirm: {
    label: string
    hint: string
    missing: string
    wrong: string
    /** For an account with a second factor. `link` leads to the page to prove it. */
    proveAgain: { text: string; link: string }
    /** For an account without a password. `link` leads to the page to log in. */
    logInAgain: { text: string; link: string }
  }
  profile: {
    title: string
    username: string
    usernameHint: string
    usernameTaken: string
    invalidUsername: string
    reservedUsername: string
    name: string
    nameHint: string
    invalidName: string
    locale: string
    /** The choice of no language. */
    noLocale: string
    button: string
  }
  address: {
    title: string
    present: string
    next: string
    /** Tells what the form does. */
    effect: string
    invalid: string
    same: string
    button: string
    sent: Saying
    /** For an address that is not proved: the mail with the link again. */
    unconfirmed: { text: string; button: string; sent: string }
  }
  password: {
    title: string
    effect: string
    current: string
    button: string
    wrong: string
    missing: string
    changed: string
    /** For an account without a password. `link` leads to `/forgot`. */
    none: { text: string; link: string }
  }
  sessions: {
    title: string
    intro: string
    /** Marks the session of this browser. */
    current: string
    /** The name of a device that is not known. */
    unknownDevice: string
    lastUsed: (when: string) => string
    end: string
    endOthers: string
    ended: string
    gone: string
  }
  apps: {
    title: string
    intro: string
    none: string
    granted: (when: string) => string
    withdraw: string
    withdrawn: string
    gone: string
  }
  identities: {
    title: string
    intro: string
    none: string
    lastUsed: (when: string) => string
    unlink: string
    unlinked: string
    last: string
    gone: string
    link: (provider: string) => string
  }
  export: { title: string; effect: string; button: string }
  delete: { title: string; effect: string; button: string; lastAdmin: string; done: Saying }
}
