import { sql } from 'drizzle-orm'
import type { Columns } from '../columns.ts'
import { userReference, type userTables } from './users.ts'

/** @owner factors */
export const factorTables = (c: Columns, users: ReturnType<typeof userTables>) => ({
  /** What all factors of a user share. A row is made when it is first needed. */
  factorAccounts: c.table(
    'factor_accounts',
    {
      userId: userReference(c, users, 'user_id').primaryKey(),
      /** 32 random bytes in base64url: the user handle of passkeys. Null until the first passkey is registered. */
      webauthnHandle: c.text('webauthn_handle'),
      /** Wrong codes since the last right answer. At 100 no TOTP code is accepted until another factor was shown. */
      failedInRow: c.int('failed_in_row').notNull().default(0),
      /** When the codes were locked; null while they are not. */
      lockedAt: c.int('locked_at'),
      /** From when a policy withholds rights, or the login, until there is a second factor. Null before it was announced. */
      dueAt: c.int('due_at'),
    },
    (t) => [
      c
        .uniqueIndex('factor_accounts_webauthn_handle_unique')
        .on(t.webauthnHandle)
        .where(sql`webauthn_handle is not null`),
    ],
  ),
  /** Authenticator apps (RFC 6238). */
  totpFactors: c.table(
    'totp_factors',
    {
      id: c.id('id'),
      userId: userReference(c, users, 'user_id'),
      name: c.text('name').notNull(),
      /** 20 random bytes, sealed. */
      secret: c.text('secret').notNull(),
      /** The time step of the last accepted code. That step and all before it are not accepted again. */
      lastStep: c.int('last_step'),
      /** Null until a code has confirmed the factor. Until then it counts for nothing. */
      confirmedAt: c.int('confirmed_at'),
      lastUsedAt: c.int('last_used_at'),
      createdAt: c.int('created_at').notNull(),
    },
    (t) => [
      c.index('totp_factors_user_id_index').on(t.userId),
      c.index('totp_factors_pending_index').on(t.createdAt).where(sql`confirmed_at is null`),
    ],
  ),
  /** Credentials of WebAuthn: passkeys and security keys. */
  passkeys: c.table(
    'passkeys',
    {
      id: c.id('id'),
      userId: userReference(c, users, 'user_id'),
      /** In base64url, at most 1,364 characters. */
      credentialId: c.text('credential_id').notNull(),
      /** The COSE key in base64url. */
      publicKey: c.text('public_key').notNull(),
      /** The COSE algorithm: -7, -8 or -257. */
      alg: c.int('alg').notNull(),
      signCount: c.int('sign_count').notNull(),
      /** The RP ID for which the credential was made. It works for no other. */
      rpId: c.text('rp_id').notNull(),
      /** `passkey`: both factors. `security_key`: the second factor after a password. */
      kind: c.text('kind').notNull(),
      /** True when the authenticator had verified the user at the registration. */
      isUvInitialized: c.bool('is_uv_initialized').notNull(),
      isBackupEligible: c.bool('is_backup_eligible').notNull(),
      isBackedUp: c.bool('is_backed_up').notNull(),
      aaguid: c.text('aaguid').notNull(),
      /** A JSON list of the transports, as the browser named them. */
      transports: c.text('transports').notNull(),
      name: c.text('name').notNull(),
      createdAt: c.int('created_at').notNull(),
      lastUsedAt: c.int('last_used_at'),
    },
    (t) => [
      c.uniqueIndex('passkeys_credential_id_unique').on(t.credentialId),
      c.index('passkeys_user_id_index').on(t.userId),
    ],
  ),
  recoveryCodes: c.table(
    'recovery_codes',
    {
      id: c.id('id'),
      userId: userReference(c, users, 'user_id'),
      /** HMAC-SHA-256 of the user id and the code, which itself is not stored. */
      mac: c.text('mac').notNull(),
      createdAt: c.int('created_at').notNull(),
      usedAt: c.int('used_at'),
    },
    (t) => [c.uniqueIndex('recovery_codes_user_id_mac_unique').on(t.userId, t.mac)],
  ),
  /** Devices on which a login does not ask for the second factor. A row counts in the session epoch that it names. */
  trustedDevices: c.table(
    'trusted_devices',
    {
      /** 128 random bits in base64url. */
      id: c.text('id').primaryKey(),
      userId: userReference(c, users, 'user_id'),
      /** HMAC-SHA-256 of the user id and the token, which itself is not stored. */
      mac: c.text('mac').notNull(),
      /** The user's session epoch at the login that added the device. */
      epoch: c.int('epoch').notNull(),
      /** Browser and system of that login, or empty. */
      name: c.text('name').notNull(),
      ip: c.text('ip').notNull(),
      createdAt: c.int('created_at').notNull(),
      expiresAt: c.int('expires_at').notNull(),
    },
    (t) => [
      c.uniqueIndex('trusted_devices_mac_unique').on(t.mac),
      c.index('trusted_devices_user_id_index').on(t.userId),
      c.index('trusted_devices_expires_at_index').on(t.expiresAt),
    ],
  ),
  /** Logins that wait for a second factor, and ceremonies of WebAuthn. A row lives five minutes. */
  factorChallenges: c.table(
    'factor_challenges',
    {
      /** 128 random bits in base64url. */
      id: c.text('id').primaryKey(),
      /** `login`, `enroll`, `register` or `step_up`. */
      purpose: c.text('purpose').notNull(),
      /** HMAC-SHA-256 of the `mfa_token`; null for a ceremony in a session. */
      mac: c.text('mac'),
      userId: userReference(c, users, 'user_id'),
      /** The session of a ceremony; null for a login. */
      sessionId: c.text('session_id'),
      /** The user's session epoch when the first factor was checked. The challenge ends with it. */
      epoch: c.int('epoch').notNull(),
      /** The authentication methods so far, space separated. */
      amr: c.text('amr').notNull(),
      /** JSON: what the login needs to go on, such as the device and the browser. */
      login: c.text('login').notNull(),
      /** The challenge of WebAuthn in base64url; null when none was given out, and after it was used. */
      challenge: c.text('challenge'),
      /** How many answers were given. */
      tries: c.int('tries').notNull(),
      createdAt: c.int('created_at').notNull(),
      expiresAt: c.int('expires_at').notNull(),
    },
    (t) => [
      c.uniqueIndex('factor_challenges_mac_unique').on(t.mac).where(sql`mac is not null`),
      c.index('factor_challenges_user_id_index').on(t.userId),
      c.index('factor_challenges_expires_at_index').on(t.expiresAt),
    ],
  ),
  /** The used challenges of anonymous sign-ins with a passkey, until they expire. */
  usedNonces: c.table(
    'used_nonces',
    { nonce: c.text('nonce').primaryKey(), expiresAt: c.int('expires_at').notNull() },
    (t) => [c.index('used_nonces_expires_at_index').on(t.expiresAt)],
  ),
})
