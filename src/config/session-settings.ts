import { whole } from './kinds.ts'

/** The part of `configSchema` about sessions. */
export const sessionSettings = {
  REFRESH_TOKEN_EXPIRE_DAYS: whole(1, 3_650, {
    default: 30,
    description: 'A session ends when it is not refreshed for this long.',
  }),
  SESSION_MAX_DAYS: whole(1, 3_650, {
    default: 180,
    description: 'A session ends after this long, even if it is in use.',
  }),
  MAX_SESSIONS_PER_USER: whole(1, 10_000, {
    default: 50,
    description: 'The most sessions of one account; one more login ends the session that was idle longest.',
  }),
  BROWSER_SESSION_HOURS: whole(1, 24, {
    default: 12,
    description:
      'A sign-in on Keyward\'s pages without "keep me signed in" ends when it is not used for this long, and after a day.',
  }),
  REMEMBER_ME_DAYS: whole(0, 3_650, {
    default: 30,
    description: 'How long a sign-in with "keep me signed in" lasts; 0 hides the choice.',
  }),
  CLIENT_REFRESH_DAYS: whole(1, 3_650, {
    default: 30,
    description: 'A session of an application ends when the application does not refresh it for this long.',
  }),
  REFRESH_TOKEN_GRACE_SECONDS: whole(0, 300, {
    default: 10,
    description: 'How long a used refresh token returns the same new token again, for two tabs or a lost response.',
  }),
  REFRESH_TOKEN_RETRY_SECONDS: whole(0, 86_400, {
    default: 3600,
    description: 'How long a lost refresh response can be retried, until the new tokens are first used; 0 disables it.',
  }),
}
