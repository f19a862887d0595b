import { choice, whole } from './kinds.ts'

/** The settings of the OpenID provider and of social login; a part of `configSchema`. */
export const openidSettings = {
  ID_TOKEN_MINUTES: whole(1, 1440, { default: 60, description: 'How long an ID token of a client is valid.' }),
  OUTGOING_ADDRESSES: choice(['public', 'private'], {
    default: 'public',
    description:
      'Where requests to the addresses of clients and providers may go: `public` is https to the Internet, `private` also http, this machine and private networks. Link-local addresses and metadata services of clouds are always refused.',
  }),
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
