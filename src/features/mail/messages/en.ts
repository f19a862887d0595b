import { factorMessages } from './factors.en.ts'
import type { Catalogue } from './message.ts'
import { policyMessages } from './policy.en.ts'

export const en: Catalogue = {
  dates: 'en-GB',
  greeting: { named: 'Hello {{username}},', plain: 'Hello,' },
  footer: {
    why: '{{app}} sent you this mail because of your account. You cannot answer it.',
    support: 'Questions? Write to {{support}}.',
  },
  colon: ': ',
  facts: {
    time: 'Time',
    ip: 'IP address',
    device: 'Device',
    address: 'New address',
    provider: 'Provider',
    due: 'Needed from',
    factor: 'Factor',
    left: 'Codes left',
  },
  code: {
    only: 'Your code, which works for {{code_minutes}} minutes:',
    also: 'Or enter this code, which works for {{code_minutes}} minutes:',
  },
  messages: {
    ...policyMessages,
    ...factorMessages,
    test: {
      subject: 'Mail from {{app}} works',
      before: ['This is a test. If you can read it, {{app}} can send mail to this address.'],
      after: [],
    },
    password_changed: {
      subject: 'Your password for {{app}} was changed',
      before: ['The password of your account at {{app}} was changed. Other devices were logged out.'],
      after: [
        'If you did this, you need to do nothing.',
        'If it was not you, somebody else may have access to your account. Contact the people who run {{app}} at once.',
      ],
    },
    new_device: {
      subject: 'New login to {{app}}',
      before: [
        'Somebody logged in to your account at {{app}} with a device and from a network that we have not seen before.',
      ],
      after: [
        'If it was you, you need to do nothing.',
        'If it was not you, somebody else knows your password or reads your mail. Change the password at once, and end all other sessions of your account.',
      ],
    },
    session_reused: {
      subject: 'You were logged out of {{app}} on one device',
      before: [
        'A login to your account at {{app}} was used in two places at once. This happens when somebody copies it, or when a device is restored from a backup. We ended this login to be safe.',
      ],
      after: [
        'If you restored a device or moved an app, log in there again, and you need to do nothing else.',
        'If not, change your password, and end all other sessions of your account.',
      ],
    },
    link_identity: {
      subject: 'Your code for {{app}}',
      before: [
        'Somebody, probably you, signs in to {{app}} with {{provider}} and gave this address. The code confirms that the address is yours. If you have an account at {{app}}, it can then be linked with {{provider}}.',
      ],
      after: ['If it was not you, ignore this mail. Never give the code to anybody: nobody at {{app}} asks for it.'],
    },
    wrong_codes: {
      subject: 'Wrong codes for your account at {{app}}',
      before: [
        'Somebody typed five wrong codes of an authenticator app when logging in to your account at {{app}}. Whoever gets that far knows your password, or reads your mail.',
      ],
      after: [
        'If it was you, check that the clock of your phone is right.',
        'If it was not you, nobody got in, but change your password at once.',
      ],
    },
    codes_locked: {
      subject: 'Codes are locked for your account at {{app}}',
      before: [
        'There were 100 wrong codes in a row for your account at {{app}}. Codes of authenticator apps are therefore not accepted any more.',
      ],
      after: [
        'Log in with a passkey, a security key or a recovery code: codes are accepted again then. If you have none of these, contact the people who run {{app}}.',
        'If you did not type these codes, somebody else knows your password. Change it at once.',
      ],
    },
    identity_linked: {
      subject: 'You can now sign in to {{app}} with {{provider}}',
      before: [
        'An account at {{provider}} was linked with your account at {{app}}. Whoever uses it can sign in to your account.',
      ],
      after: [
        'If you did this, you need to do nothing.',
        'If it was not you, unlink it in your account, and change your password at once.',
      ],
    },
    identity_unlinked: {
      subject: '{{provider}} no longer signs you in to {{app}}',
      before: ['An account at {{provider}} is no longer linked with your account at {{app}}.'],
      after: [
        'If you did this, you need to do nothing.',
        'If it was not you, change your password, and end all other sessions of your account.',
      ],
    },
    identity_account: {
      subject: 'Your account at {{app}}',
      before: [
        'Somebody, probably you, signed in to {{app}} with {{provider}}. An account with this address was made. It has no password.',
      ],
      after: [
        'If you did this, you need to do nothing.',
        'If it was not you, somebody has access to your account at {{provider}}. Contact the people who run {{app}}.',
      ],
    },
    identity_taken: {
      subject: '{{provider}} could not be linked at {{app}}',
      before: [
        'A user of {{app}} wanted to link an account at {{provider}} that is already linked with another user. Both users get this mail. Nothing was changed.',
      ],
      after: [
        'If you have two accounts at {{app}}, unlink it in the other one first.',
        'If it was not you, you need to do nothing.',
      ],
    },
    verify_email: {
      subject: 'Confirm your address for {{app}}',
      before: ['Somebody, probably you, gave this address for an account at {{app}}. Please confirm that it is yours.'],
      button: 'Confirm the address',
      lifetime: 'The link works once, until {{until}}.',
      after: ['If it was not you, ignore this mail. Never give the code to anybody.'],
    },
    reset_password: {
      subject: 'Choose a new password for {{app}}',
      before: ['Somebody, probably you, asked for a new password for your account at {{app}}.'],
      button: 'Choose a new password',
      lifetime:
        'The link works once, for {{minutes}} minutes. If the account has a password, it works until you choose a new one.',
      after: ['If it was not you, ignore this mail: nothing changes.'],
    },
    reset_by_admin: {
      subject: 'Choose a new password for {{app}}',
      before: [
        'An administrator of {{app}} sends you this link, with which you choose a new password for your account.',
      ],
      button: 'Choose a new password',
      lifetime:
        'The link works once, for {{minutes}} minutes. If the account has a password, it works until you choose a new one.',
      after: ['If you do not expect this, ask the people who run {{app}}. Without the link nothing changes.'],
    },
    address_restored: {
      subject: 'Your account at {{app}} is back: choose a new password',
      before: [
        'The change of address was undone: this is again the address of your account at {{app}}. All devices were logged out, and the password was removed, because somebody else may know it.',
      ],
      button: 'Choose a new password',
      lifetime: 'The link works once, for {{minutes}} minutes. After that, say that you have forgotten the password.',
      after: [
        'If you did not undo the change, somebody else reads your mail. Change the password of your mailbox first.',
      ],
    },
    log_in: {
      subject: 'Log in to {{app}}',
      before: ['Somebody, probably you, wants to log in to your account at {{app}} with this mail.'],
      button: 'Log in',
      lifetime: 'The link works once, for {{minutes}} minutes.',
      after: ['If it was not you, ignore this mail. Never give the code to anybody: nobody at {{app}} asks for it.'],
    },
    confirm_address: {
      subject: 'Confirm your new address for {{app}}',
      before: ['This is to become the new address of an account at {{app}}. It changes once you confirm it.'],
      button: 'Confirm the new address',
      lifetime: 'The link works once, until {{until}}.',
      after: ['If it was not you, ignore this mail: nothing changes.'],
    },
    address_changed: {
      subject: 'The address of your account at {{app}} was changed',
      before: ['The address of your account at {{app}} was changed. Mail no longer goes to this address.'],
      button: 'Undo the change',
      lifetime:
        'The link works once, until {{until}}. It brings this address back, logs out all devices and removes the password, so that you can choose a new one.',
      after: ['If you did this, you need to do nothing.', 'If it was not you, undo the change at once.'],
    },
    address_taken: {
      subject: 'You already have an account at {{app}}',
      before: [
        'Somebody, probably you, wanted to use this address for an account at {{app}}. It already belongs to your account, so nothing was changed.',
      ],
      after: [
        'If it was you, log in to that account. If you have forgotten the password, choose a new one there.',
        'If it was not you, ignore this mail.',
      ],
    },
    invitation: {
      subject: 'Your invitation to {{app}}',
      before: ['An account at {{app}} was made for you. Choose a password to use it.'],
      button: 'Accept the invitation',
      lifetime: 'The link works once, until {{until}}.',
      after: ['If you do not expect this, ignore this mail: nobody can use the account without its link.'],
    },
    first_admin: {
      subject: 'Become the first administrator of {{app}}',
      before: [
        '{{app}} has no administrator yet, and its settings name this address. Choose a password to become the first one.',
      ],
      button: 'Become the administrator',
      lifetime: 'The link works once, until {{until}}, and only while there is no administrator.',
      after: ['If you do not run {{app}}, ignore this mail.'],
    },
  },
}
