import { Optional } from 'typebox'
import { isHost, isOrigin } from './formats.ts'
import { choice, text, texts, whole } from './kinds.ts'

/** The settings of second factors and passkeys; a part of `configSchema`. */
export const factorSettings = {
  REQUIRE_SECOND_FACTOR: choice(['none', 'admins', 'all'], {
    default: 'admins',
    dev: { default: 'none' },
    description:
      'Who needs a second factor. `admins`: the role `admin` gives no rights in a session without one. `all`: nobody logs in without one. `--dev` asks nobody.',
  }),
  SECOND_FACTOR_GRACE_DAYS: whole(0, 30, {
    default: 7,
    description: 'How long a user may go on without a required second factor, from the first login that needs it.',
  }),
  MAX_FACTORS_PER_USER: whole(1, 50, {
    default: 10,
    description: 'The most authenticator apps, passkeys and security keys of one account.',
  }),
  TRUSTED_DEVICE_DAYS: whole(0, 30, {
    default: 0,
    description:
      'How many days people can trust a device, on which a login with the password then does not ask for the second factor. `0`: it always asks. People with administrative rights are asked anyway.',
  }),
  PASSKEYS: choice(['on', 'off'], { default: 'on', description: 'Whether people can use passkeys and security keys.' }),
  PASSKEYS_SYNCED: choice(['allow', 'deny'], {
    default: 'allow',
    description: 'With `deny`, a passkey that a password manager or the cloud can copy is refused at registration.',
  }),
  WEBAUTHN_RP_ID: Optional(
    text(isHost, 'a host name', {
      description:
        'The domain of passkeys: the host of `PUBLIC_URL`, or a domain above it. A change makes every passkey useless, so choose it before the first one.',
      defaultShown: 'the host of `PUBLIC_URL`',
      whenUnset: 'the host of PUBLIC_URL',
    }),
  ),
  WEBAUTHN_ORIGINS: texts((origin) => isOrigin(origin) || /^android:apk-key-hash:[\w-]{43}$/.test(origin), 'origins', {
    default: [],
    description:
      'Further origins that may use passkeys, separated by commas: `https://app.example.com`, or `android:apk-key-hash:…` for an app.',
  }),
}
