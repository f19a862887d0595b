import type { PolicyMessages } from './message.ts'

export const policyMessages: PolicyMessages = {
  second_factor_due: {
    subject: 'Your account at {{app}} needs a second factor',
    before: [
      'Your account at {{app}} needs a second factor beside the password, such as an authenticator app or a passkey. Please set one up before the day below.',
    ],
    after: ['After that day, you can use less of {{app}}, or cannot log in, until the account has one.'],
  },
  enroll_factor: {
    subject: 'Your code for {{app}}',
    before: [
      'Somebody, probably you, logged in to your account at {{app}} and is about to set up a second factor. The code confirms that it is you.',
    ],
    after: [
      'If it was not you, somebody else knows your password. Change it at once, and never give the code to anybody: nobody at {{app}} asks for it.',
    ],
  },
  recover_factors: {
    subject: 'Get back into your account at {{app}}',
    before: [
      'An administrator of {{app}} sends you this link, because you have lost your second factor. With the link and your password you remove all second factors of your account, and then log in with the password alone.',
    ],
    button: 'Remove my second factors',
    lifetime: 'The link works once, until {{until}}.',
    after: [
      'If you have not lost it, ignore this mail: without the link and your password nothing changes. Ask the people who run {{app}} why they sent it.',
    ],
  },
  factors_recovered: {
    subject: 'All second factors of your account at {{app}} were removed',
    before: [
      'All second factors and recovery codes of your account at {{app}} were removed, with the link of a mail and your password. All devices were logged out.',
    ],
    after: [
      'If you did this, log in and set up a new second factor.',
      'If it was not you, somebody else reads your mail and knows your password. Change the password at once, and contact the people who run {{app}}.',
    ],
  },
  factors_reset: {
    subject: 'Second factors of your account at {{app}} were removed',
    before: ['An administrator of {{app}} removed second factors of your account. All devices were logged out.'],
    after: [
      'If you asked for this, log in and set up a new second factor.',
      'If not, change your password, and contact the people who run {{app}} at once.',
    ],
  },
}
