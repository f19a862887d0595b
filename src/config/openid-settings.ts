import { choice, whole } from './kinds.ts'

/** The settings of the OpenID provider. */
export const openIdSettings = {
  AUTH_CODE_SECONDS: whole(30, 600, {
    default: 60,
    description: 'How long a client may take to exchange an authorization code.',
  }),
  DEVICE_CODE_MINUTES: whole(1, 60, {
    default: 10,
    description: 'How long a device without a browser waits for its user.',
  }),
  PASSWORD_GRANT: choice(['on', 'off'], {
    default: 'on',
    description:
      'With `off`, `POST /token` takes no passwords: people sign in on the pages alone, through registered clients.',
  }),
}
