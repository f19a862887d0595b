import type { Saying } from '../../../../pages/texts/text.ts'

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
  logOut: {
    title: string
    text: string
    button: string
    done: Saying
    /** The link to `/sign-in`. */
    again: string
  }
}
