import type { SocialTexts } from './text.ts'

export const en: SocialTexts = {
  address: {
    title: 'Your email address',
    intro: (provider) => `${provider} told no email address. Enter yours; you get a mail with a code.`,
    email: 'Email address',
    button: 'Send the code',
    invalidEmail: 'Enter one email address, such as name@example.com.',
  },
  code: {
    title: 'Look into your mailbox',
    sent: { before: 'We sent a mail with a code to ', after: '.' },
    hint: 'The code works for 10 minutes. If nothing arrives, look into the spam folder.',
    code: 'Code',
    button: 'Continue',
    wrong: 'This code is wrong, or too old.',
  },
  ask: {
    title: 'You already have an account',
    account: { before: 'There is an account with the address ', after: '.' },
    why: (provider) => `Show that it is yours. It is then linked with ${provider}, which logs you in from now on.`,
    password: 'Password of the account',
    button: 'Link and log in',
    wrongPassword: 'This is not the password of the account.',
    missingPassword: 'Enter the password of the account.',
    code: { intro: 'Or get a mail with a code to the address of the account.', button: 'Send the code' },
    startOver: {
      summary: 'I did not make this account, or I do not know the password',
      effect:
        'Nobody has shown yet that this address is theirs. You have, so the account becomes yours. Its password is removed, all devices are logged out, and its API keys and other links are removed.',
      button: 'Start over as the owner of the address',
    },
  },
  failures: {
    failed: { title: 'Logging in did not work', text: 'The other service did not confirm who you are. Try again.' },
    expired: {
      title: 'This login has expired',
      text: 'It was open for too long, or it began in another browser. Your browser must accept cookies of this page.',
    },
    taken: {
      title: 'This account cannot be linked',
      text: 'It is linked with another account here, or your account is linked with another one there. Nothing was changed.',
    },
    refused: { title: 'Logging in did not work', text: 'You cannot log in with this account.' },
    closed: { title: 'Registration is closed', text: 'Ask the people who run this service for an account.' },
    unverified: {
      title: 'The address is not confirmed',
      text: 'The other service does not confirm your email address. Log in in another way.',
    },
    addressTaken: { title: 'This address cannot be used', text: 'It is reserved for another account.' },
    domain: { title: 'This address cannot be used', text: 'Addresses of this domain cannot register here.' },
  },
  back: 'Back to the login',
}
