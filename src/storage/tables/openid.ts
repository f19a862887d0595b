import type { Columns } from '../columns.ts'
import type { clientTables } from './clients.ts'
import { userReference, type userTables } from './users.ts'

/** @owner openid */
export const openidTables = (
  c: Columns,
  users: ReturnType<typeof userTables>,
  { clients }: ReturnType<typeof clientTables>,
) => {
  const clientReference = () =>
    c
      .text('client_id')
      .notNull()
      .references(() => clients.id, { onDelete: 'cascade' })
  return {
    /**
     * The codes of the code flow (RFC 6749 section 4.1). A row stays for a day after its use, because a second use ends
     * the session of the first one (section 4.1.2).
     */
    authorizationCodes: c.table(
      'authorization_codes',
      {
        /** HMAC-SHA-256 of the code, which itself is not stored. */
        mac: c.text('mac').primaryKey(),
        clientId: clientReference(),
        userId: userReference(c, users, 'user_id'),
        /** The session of the browser that gave the code. */
        browserSessionId: c.text('browser_session_id').notNull(),
        redirectUri: c.text('redirect_uri').notNull(),
        /** The granted scopes, separated by spaces. */
        scope: c.text('scope').notNull(),
        /** A JSON list of the resources (RFC 8707) of the request. */
        resources: c.text('resources').notNull(),
        nonce: c.text('nonce'),
        /** The challenge of PKCE with `S256` (RFC 7636). */
        codeChallenge: c.text('code_challenge'),
        createdAt: c.int('created_at').notNull(),
        expiresAt: c.int('expires_at').notNull(),
        usedAt: c.int('used_at'),
        /** The id of the session that the code began; null until the code is used. */
        sessionId: c.text('session_id'),
      },
      (t) => [
        c.index('authorization_codes_expires_at_index').on(t.expiresAt),
        c.index('authorization_codes_user_id_index').on(t.userId),
        c.index('authorization_codes_client_id_index').on(t.clientId),
      ],
    ),
    /** What users allowed clients to do. */
    consents: c.table(
      'consents',
      {
        userId: userReference(c, users, 'user_id'),
        clientId: clientReference(),
        scopes: c.text('scopes').notNull(),
        grantedAt: c.int('granted_at').notNull(),
        lastUsedAt: c.int('last_used_at').notNull(),
      },
      (t) => [c.primaryKey({ columns: [t.userId, t.clientId] }), c.index('consents_client_id_index').on(t.clientId)],
    ),
    /** The requests of devices without a browser (RFC 8628). */
    deviceCodes: c.table(
      'device_codes',
      {
        /** HMAC-SHA-256 of the device code. */
        mac: c.text('mac').primaryKey(),
        /** HMAC-SHA-256 of the user code. */
        userCodeMac: c.text('user_code_mac').notNull(),
        clientId: clientReference(),
        scope: c.text('scope').notNull(),
        resources: c.text('resources').notNull(),
        /** The address from which the device asked. */
        ip: c.text('ip').notNull(),
        createdAt: c.int('created_at').notNull(),
        expiresAt: c.int('expires_at').notNull(),
        /** The least time between two polls, in milliseconds; `slow_down` raises it. */
        interval: c.int('interval').notNull(),
        lastPolledAt: c.int('last_polled_at'),
        /** The browser session that typed the user code; only it may decide. */
        browserSessionId: c.text('browser_session_id'),
        userId: c.int('user_id').references(() => users.users.id, { onDelete: 'cascade' }),
        /** `pending`, `approved`, `denied` or `used`. */
        state: c.text('state').notNull(),
        sessionId: c.text('session_id'),
      },
      (t) => [
        c.uniqueIndex('device_codes_user_code_mac_unique').on(t.userCodeMac),
        c.index('device_codes_expires_at_index').on(t.expiresAt),
        c.index('device_codes_user_id_index').on(t.userId),
        c.index('device_codes_client_id_index').on(t.clientId),
      ],
    ),
  }
}
