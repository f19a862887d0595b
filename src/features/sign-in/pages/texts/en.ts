import type { SignInTexts } from './text.ts'

export const en: SignInTexts = {
  logIn: {
    title: 'Log in',
    toClient: (client) => `Log in to continue to ${client}.`,
    again: 'Enter your password again to continue.',
    identifier: 'Username or email address',
    password: 'Password',
    remember: 'Keep me logged in on this device',
    button: 'Log in',
    wrong: { title: 'Incorrect username or password', text: 'Check both, and try again.' },
    missingIdentifier: 'Enter your username or your email address.',
    missingPassword: 'Enter your password.',
    forgot: 'Forgot your password?',
    register: 'Create an account',
    dead: {
      title: 'This login has expired',
      text: 'It was open for too long, or it began in another browser. Your browser must accept cookies of this page.',
      button: 'Start again',
    },
  },
  logOut: {
    title: 'Log out',
    text: 'You are logged in in this browser.',
    button: 'Log out',
    done: { title: 'You are logged out', text: 'This browser is no longer logged in.' },
    again: 'Log in',
  },
}
