import type { Catalogue } from './message.ts'

export const en: Catalogue = {
  dates: 'en-GB',
  greeting: { named: 'Hello {{username}},', plain: 'Hello,' },
  footer: {
    why: '{{app}} sent you this mail because of your account. You cannot answer it.',
    support: 'Questions? Write to {{support}}.',
  },
  facts: { time: 'Time', ip: 'IP address', device: 'Device' },
  messages: {
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
  },
}
