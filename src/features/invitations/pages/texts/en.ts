import type { InvitationTexts } from './text.ts'

export const en: InvitationTexts = {
  title: 'Accept the invitation',
  account: { before: 'This is for the account with the address ', after: '.' },
  effect: 'Choose a password. With it and the username you then log in.',
  firstAdmin: 'You become the first administrator of this service.',
  existing: 'Everything that was set for this account before is dropped: the password, all logins and all API keys.',
  username: 'Username',
  usernameTaken: 'Somebody has this username already. Choose another one.',
  invalidUsername:
    'This username cannot be used. Take 3 to 32 letters without accents, digits, dots, hyphens or underscores.',
  button: 'Save the password',
  done: { title: 'Your account is ready', text: 'Log in with your username and the new password now.' },
  dead: {
    title: 'This link does not work any more',
    text: 'A link works once and for a limited time, and only the newest one works. If you have accepted the invitation already, log in. If not, ask the person who invited you for another one.',
  },
}
