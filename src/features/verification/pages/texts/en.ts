import type { VerificationTexts } from './text.ts'

export const en: VerificationTexts = {
  forgot: {
    title: 'Forgot your password?',
    intro: 'Enter the email address of your account. You get a mail with a link to choose a new password.',
    email: 'Email address',
    button: 'Send the link',
    invalidEmail: 'Enter one email address, such as name@example.com.',
    sent: {
      title: 'Look into your mailbox',
      text: 'If an account has this address, a mail is on its way. Its link works for 30 minutes. If nothing arrives, look into the spam folder.',
    },
    again: 'Send another link',
  },
  reset: {
    title: 'Choose a new password',
    account: { before: 'This is for the account with the address ', after: '.' },
    effect: 'All devices will be logged out. You then log in with the new password.',
    button: 'Save the new password',
    done: {
      title: 'Your password was changed',
      text: 'All devices were logged out. Log in with the new password now.',
    },
    dead: {
      title: 'This link does not work any more',
      text: 'A link works once and for 30 minutes, and only the newest one works. Your password was not changed.',
    },
    askAgain: 'Ask for a new link',
  },
  newPassword: {
    label: 'New password',
    hint: (minLength) => `At least ${minLength} characters. A few words that do not belong together are good.`,
    errors: {
      malformed: () => 'This text cannot be a password. Choose another one.',
      too_long: () => 'The password must have at most 256 characters.',
      too_short: (minLength) => `The password must have at least ${minLength} characters.`,
      common: () => 'Many people use this password. Choose another one.',
      pattern: () => 'This password is easy to guess. Choose another one.',
      own_name: () => 'The password must not be your username or email address.',
      service_name: () => 'The password must not be the name of the service.',
    },
    refused: 'This password cannot be used. Choose another one.',
  },
}
