import type { FactorMessages } from './message.ts'

export const factorMessages: FactorMessages = {
  factor_added: {
    subject: 'A second factor was added at {{app}}',
    before: [
      'A second factor was added to your account at {{app}}. From now on it is asked for when you log in. All other devices were logged out.',
    ],
    after: [
      'If you did this, keep your recovery codes in a safe place: you need one if you lose the factor.',
      'If it was not you, somebody else has access to your account. Contact the people who run {{app}} at once.',
    ],
  },
  factor_removed: {
    subject: 'A second factor was removed at {{app}}',
    before: [
      'A second factor was removed from your account at {{app}}. It is not accepted any more. All other devices were logged out.',
    ],
    after: [
      'If you did this, you need to do nothing.',
      'If it was not you, somebody else may have access to your account. Change your password and contact the people who run {{app}} at once.',
    ],
  },
  recovery_codes_renewed: {
    subject: 'Your new recovery codes at {{app}}',
    before: ['New recovery codes were made for your account at {{app}}. The former ones do not work any more.'],
    after: [
      'If you did this, keep the new codes in a safe place. They are not shown again.',
      'If it was not you, somebody else may have access to your account. Change your password and contact the people who run {{app}} at once.',
    ],
  },
  recovery_code_used: {
    subject: 'A recovery code was used at {{app}}',
    before: [
      'Somebody used one of the recovery codes of your account at {{app}}, in place of the second factor. {{left}} codes are left.',
    ],
    after: [
      'If it was you and you have lost the other factor, remove it in your account and add a new one. Make new codes before the last one is gone.',
      'If it was not you, somebody knows your password and has your codes. Change the password and make new codes at once.',
    ],
  },
  trusted_device_added: {
    subject: 'A device is trusted at {{app}}',
    before: [
      'From now on, logging in to your account at {{app}} with this device needs only the password, not the second factor.',
    ],
    after: [
      'If you did this, you need to do nothing. In your account you can end the trust at any time.',
      'If it was not you, somebody knows your password and has your second factor. Change your password at once: this ends the trust in all devices.',
    ],
  },
  factor_copied: {
    subject: 'A security key or passkey may have been copied at {{app}}',
    before: [
      'Somebody used a passkey or security key of your account at {{app}}, and its counter was older than that of an earlier use. A copy of the key may exist. The login was refused.',
    ],
    after: [
      'If you have moved this key to another device, remove it in your account and add it again.',
      'If not, remove the key from your account at once, and log in with another factor.',
    ],
  },
}
