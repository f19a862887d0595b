import type { Saying } from '../../../../pages/texts/text.ts'

/** The parts of a sentence before, between and after its links. */
export interface Legal {
  before: string
  between: string
  after: string
}

/** The texts of the pages to log in, to log out and to register, in one language. */
export interface SignInTexts {
  logIn: {
    title: string
    /** Names the application that asks for the login. */
    toClient: (client: string) => string
    /** Tells why a person who is logged in sees the form. */
    again: string
    identifier: string
    password: string
    remember: string
    button: string
    /** The button of another service with which people can log in. */
    withProvider: (provider: string) => string
    /** The sentence of a wrong password; the same for an unknown name. */
    wrong: Saying
    missingIdentifier: string
    missingPassword: string
    /** The link to `/forgot`. */
    forgot: string
    /** The link to `/sign-up`. */
    register: string
    /** The request is unknown, too old, or of another browser. `button` begins it anew. */
    dead: Saying & { button: string }
  }
  register: {
    title: string
    email: string
    username: string
    usernameHint: string
    password: string
    button: string
    invalidEmail: string
    /** The address is of a domain whose addresses cannot register. */
    refusedDomain: string
    emailTaken: string
    usernameTaken: string
    invalidUsername: string
    reservedUsername: string
    closed: Saying
    /** The link to `/sign-in`. */
    logIn: string
    /** Stands above the button if TERMS_URL or PRIVACY_URL is set. The links are `terms` and `privacy`. */
    consent: { both: Legal; terms: Legal; privacy: Legal }
    terms: string
    privacy: string
    /** The page of a service that first proves the address. Its text is the same for every address. */
    sent: Saying
  }
  logOut: {
    title: string
    text: string
    button: string
    done: Saying
    /** The link to `/sign-in`. */
    again: string
  }
}
