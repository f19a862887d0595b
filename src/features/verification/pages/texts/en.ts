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
  verify: {
    title: 'Confirm your address',
    account: { before: 'This is for the account with the address ', after: '.' },
    why: 'Somebody else may have registered with your address. So show that the account is yours.',
    password: 'Password of the account',
    button: 'Confirm the address',
    wrongPassword: 'This is not the password of the account.',
    missingPassword: 'Enter the password of the account.',
    other: {
      summary: 'I did not register, or I do not know the password',
      effect:
        'Choose a new password. The old one no longer works, all devices are logged out, and all API keys of the account are revoked.',
      button: 'Confirm the address and set the password',
    },
    username: 'Username',
    usernameTaken: 'Somebody has taken this username meanwhile. Choose another one.',
    invalidUsername: 'This username cannot be used. Choose another one.',
    done: { title: 'Your address is confirmed', text: 'You can log in now.' },
    dead: {
      title: 'This link does not work any more',
      text: 'A link works once and for 24 hours, and only the newest one works. If you have confirmed your address already, all is well. If not, ask the application for a new link.',
    },
  },
  confirm: {
    title: 'Confirm your new address',
    account: { before: 'This is for the account with the address ', after: '.' },
    next: { before: 'Its new address will be ', after: '.' },
    effect:
      'Other devices will be logged out. The old address gets a mail with which the change can be undone for 72 hours.',
    button: 'Change the address',
    taken: { title: 'This address belongs to another account', text: 'Nothing was changed.' },
    done: { title: 'Your address was changed', text: 'From now on, log in with the new address. Mails go there too.' },
    dead: {
      title: 'This link does not work any more',
      text: 'A link works once and for 24 hours, and only the newest one works. Your address was not changed this time.',
    },
  },
  undo: {
    title: 'Undo the change of the address',
    account: { before: 'This is for the account with the address ', after: '.' },
    next: { before: 'It gets back the address ', after: '.' },
    effect:
      'All devices are logged out, all API keys are revoked, and the password is removed. At this address you then get a mail with a link to choose a new password.',
    button: 'Undo the change',
    done: {
      title: 'The change was undone',
      text: 'A mail with a link to choose a new password is on its way. Nobody can log in to the account before that.',
    },
    dead: {
      title: 'This link does not work any more',
      text: 'A link works once and for 72 hours. Nothing was changed. If the account is yours and somebody else uses it, ask for help.',
    },
  },
  recovery: {
    title: 'Remove your second factors',
    account: { before: 'This is for the account with the address ', after: '.' },
    effect:
      'All authenticator apps, passkeys, security keys and recovery codes of the account will be removed, and all devices logged out. You then log in with the password, and set up a new second factor.',
    password: 'Password of the account',
    button: 'Remove all second factors',
    wrongPassword: 'This is not the password of the account.',
    missingPassword: 'Enter the password of the account.',
    done: {
      title: 'Your second factors were removed',
      text: 'All devices were logged out. Log in with your password now, and set up a new second factor.',
    },
    dead: {
      title: 'This link does not work any more',
      text: 'A link works once and for 24 hours, and a new password voids it. Nothing was removed. Ask the people who sent it for another one.',
    },
  },
}
