import { type Static, t } from 'elysia'
import { optionalChoice, optionalText, refusedWith } from '../../http/schemas.ts'
import { rfc3339, SECOND } from '../../lib/clock.ts'
import { locales } from '../../lib/locale.ts'
import { scopeText, TokenPair, toTokenPair } from '../sessions/schemas.ts'
import type { Grant, LoginGrant } from '../sessions/sessions.ts'
import type { User } from '../users/users.ts'
import { PENDING_LIFETIME } from './pending.ts'

const nameText = 'Your name, as you write it: 1 to 100 characters, no control characters'

export const RegisterBody = t.Object(
  {
    email: t.String({ description: 'Your email address; upper and lower case are the same' }),
    username: t.String({
      description: '3 to 32 ASCII letters, digits, `_`, `.` or `-`; upper and lower case are the same',
    }),
    password: t.String({ description: '8 to 256 characters of any kind' }),
    name: optionalText(nameText),
    locale: optionalChoice(locales, 'The language of your mails and pages; without it, that of `Accept-Language`'),
  },
  {
    title: 'Registration',
    examples: [{ email: 'user@example.com', username: 'user123', password: 'secure_password' }],
  },
)

/** The answer to a registration that waits for the proof of its address. It is the same for every address. */
export const RegistrationAsked = t.Object(
  {
    message: t.String({ description: 'A sentence for a person' }),
    challenge_id: t.String({ description: 'Send it with the code of the mail to `POST /email/verify`' }),
    expires_in: t.Integer({ description: 'How many seconds the registration waits' }),
  },
  {
    title: 'RegistrationAsked',
    examples: [
      {
        message: 'A mail is on its way. It tells you how to go on',
        challenge_id: 'Yo9sMhvJDsZ4eKdAGx2sPg',
        expires_in: 86_400,
      },
    ],
  },
)

export const registrationAsked = {
  message: 'A mail is on its way. It tells you how to go on',
  expires_in: PENDING_LIFETIME / SECOND,
}

/** A form has it as text. */
export const trustDevice = t.Optional(
  t.Union([t.Boolean({ examples: [true] }), t.Literal('true'), t.Literal('false'), t.Literal(''), t.Null()], {
    description: '`true` with a second factor: trust this device, if `TRUSTED_DEVICE_DAYS` allows it',
    ...refusedWith('Expected true or false'),
  }),
)

export const TokenBody = t.Object(
  {
    grant_type: optionalText('`password`, which is the default, or `refresh_token`'),
    username: optionalText('Your username or email address; spaces and tabs at its ends are ignored'),
    password: optionalText('With `grant_type=password`'),
    refresh_token: optionalText('Only with `grant_type=refresh_token`'),
    scope: scopeText,
    device_token: optionalText('The device token of an earlier login from this device'),
    otp: optionalText('For an account with an authenticator app: its code, which saves the second request'),
    trusted_device_token: optionalText('Of a device that you trust: the login does not ask for the second factor'),
    trust_device: trustDevice,
  },
  { title: 'TokenRequest', examples: [{ grant_type: 'password', username: 'user123', password: 'secure_password' }] },
)

export const PasswordChangeBody = t.Object(
  { current_password: t.String(), new_password: t.String() },
  {
    title: 'PasswordChange',
    examples: [{ current_password: 'secure_password', new_password: 'a longer and better one' }],
  },
)

/** Absent members stay as they are. Another address needs the current password, or a fresh session. */
export const ProfileBody = t.Object(
  {
    username: optionalText('Your new username, as in `POST /register`'),
    name: optionalText(`${nameText}; \`null\` removes it`),
    locale: optionalChoice(locales, 'The language of your mails and pages; `null` forgets it'),
    email: optionalText('Your next address, which gets a mail; it changes once you confirm it there'),
    current_password: optionalText('With `email`: your password; not needed after a login in the last 15 minutes'),
  },
  { title: 'ProfileChange', examples: [{ name: 'Ada Lovelace', locale: 'de' }] },
)

/** The body of a route with the word `fresh`. */
export const PasswordProof = t.Object(
  { password: optionalText('Your password; not needed after a login in the last 15 minutes') },
  { title: 'PasswordProof', examples: [{ password: 'secure_password' }] },
)

const rows = (description: string) => t.Array(t.Object({}, { additionalProperties: true }), { description })

/** The answer of `POST /users/me/export`: all stored rows about a user. */
export const AccountExport = t.Object(
  {
    exported_at: t.String(),
    user: t.Object({}, { additionalProperties: true }),
    former_usernames: rows('When your former usernames were reserved; the names themselves are not stored'),
    former_addresses: rows('Your former addresses that are still reserved for you'),
    roles: rows('The roles that you were given'),
    devices: rows('The devices where you have logged in'),
    api_keys: rows('Your API keys, without their text'),
    identities: rows('Your accounts at providers that sign you in'),
    factor_accounts: rows('What your second factors have in common'),
    authenticator_apps: rows('Your authenticator apps, without their secrets'),
    passkeys: rows('Your passkeys and security keys, without the keys'),
    recovery_codes: rows('Your recovery codes, without their text'),
    factor_challenges: rows('Your logins of the last minutes that wait for a second factor'),
    trusted_devices: rows('The devices that you trust, without their tokens; also those that no longer count'),
    consents: rows('What you allowed applications'),
    authorization_codes: rows('Sign-ins at applications of the last day, without their codes'),
    device_codes: rows('Sign-ins of your devices of the last day, without their codes'),
    mails: rows('The mails to you of the last days'),
    proofs: rows('The links and codes of mails that are not used up, without their text'),
    sessions: rows('Your sessions, with those that have ended'),
    audit_events: rows('What the audit log says about you, the newest first'),
  },
  {
    title: 'AccountExport',
    examples: [
      {
        exported_at: '2026-01-01T00:00:00.000Z',
        user: { id: 1, email: 'user@example.com', username: 'user123', name: null, has_password: true },
        former_usernames: [],
        former_addresses: [],
        roles: [],
        devices: [{ id: 'b0Jc5zLq1fV3tY8wXk2m4A', used_at: '2026-01-01T00:00:00.000Z' }],
        api_keys: [],
        identities: [],
        factor_accounts: [],
        authenticator_apps: [],
        passkeys: [],
        recovery_codes: [],
        factor_challenges: [],
        trusted_devices: [],
        consents: [],
        authorization_codes: [],
        device_codes: [],
        mails: [],
        proofs: [],
        sessions: [{ id: 'Dmre_alCbeRLXLZnuxdtDg', ip: '192.0.2.1', created_at: '2026-01-01T00:00:00.000Z' }],
        audit_events: [{ id: 2, at: '2026-01-01T00:00:00.000Z', event: 'login.succeeded', ip: '192.0.2.1' }],
      },
    ],
  },
)

/** The answer to a login or a refresh at `/token` (RFC 6749 section 5.1). */
export const TokenAnswer = t.Object(
  {
    ...TokenPair.properties,
    refresh_token: t.String({ description: 'For one use at `POST /token/refresh`' }),
    device_token: t.Optional(
      t.String({
        description: 'Keep it, also after a logout, and send it with the next login; absent after a refresh',
      }),
    ),
    trusted_device_token: t.Optional(
      t.String({
        description:
          'Only after `trust_device`: send it with the password at the next login, which then does not ask for the second factor',
      }),
    ),
    second_factor_due: t.Optional(
      t.String({
        format: 'date-time',
        description:
          'After a login, when a rule wants a second factor that the account does not have: from this time on, some roles, or the login, need one',
      }),
    ),
  },
  {
    title: 'Tokens',
    examples: [
      {
        access_token: 'eyJhbGciOiJFUzI1NiIs…',
        token_type: 'bearer',
        expires_in: 1800,
        refresh_token: 'kwr_AQ5q3v2pQm3kS1y2Z7sXbQAAAAAB',
        device_token: 'eyJhbGciOiJIUzI1NiJ9.e30.c2ln',
      },
    ],
  },
)

export const toTokenAnswer = (grant: Grant & Partial<LoginGrant>): Static<typeof TokenAnswer> => ({
  ...toTokenPair(grant),
  ...(grant.deviceToken !== undefined && { device_token: grant.deviceToken }),
  ...(grant.trustedToken !== undefined && { trusted_device_token: grant.trustedToken }),
  ...(grant.secondFactorDue !== undefined && { second_factor_due: rfc3339(grant.secondFactorDue) }),
})

/** The answer of `GET /user/user`, with the same fields as in the FastAPI service that Keyward replaces. */
export const BriefUserView = t.Object(
  { username: t.String(), email: t.String(), id: t.Integer({ minimum: 1 }) },
  { title: 'BriefUser', examples: [{ username: 'testuser', email: 'test@example.com', id: 1 }] },
)

export const toBriefUserView = ({ username, email, id }: User): Static<typeof BriefUserView> => ({
  username,
  email,
  id,
})
