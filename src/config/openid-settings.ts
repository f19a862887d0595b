import { choice, whole } from './kinds.ts'

/** The settings of the OpenID provider and of social login; a part of `configSchema`. */
export const openidSettings = {
  ID_TOKEN_MINUTES: whole(1, 1440, { default: 60, description: 'How long an ID token of a client is valid.' }),
  OUTGOING_ADDRESSES: choice(['public', 'private'], {
    default: 'public',
    description:
      'Where requests to the addresses of clients and providers may go: `public` is https to the Internet, `private` also http, this machine and private networks. Link-local addresses and metadata services of clouds are always refused.',
  }),
}
