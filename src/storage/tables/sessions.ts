import { sql } from 'drizzle-orm'
import type { Columns } from '../columns.ts'
import { userReference, type userTables } from './users.ts'

/** @owner sessions */
export const sessionTables = (c: Columns, tables: ReturnType<typeof userTables>) => ({
  sessions: c.table(
    'sessions',
    {
      /** 128 random bits in base64url. Access tokens of the session carry this id in the claim `sid`. */
      id: c.text('id').primaryKey(),
      userId: userReference(c, tables, 'user_id'),
      /**
       * A copy of the user's session epoch, read together with the credential that began the session. A session that
       * stays alive while all other sessions of the user are ended gets the new epoch.
       */
      epoch: c.int('epoch').notNull(),
      /** The authentication methods of the login (RFC 8176), space separated, such as `pwd`. */
      amr: c.text('amr').notNull(),
      /** When a credential was last checked. */
      authTime: c.int('auth_time').notNull(),
      /** When a second factor was last checked; null when none was. */
      mfaTime: c.int('mfa_time'),
      /** The number of refreshes, not counting retries. The current refresh token carries this number. */
      generation: c.int('generation').notNull().default(0),
      /** The highest generation whose access token was used. Late retries need a value that is below `generation`. */
      confirmedGeneration: c.int('confirmed_generation').notNull().default(0),
      /** The number of late retries in the whole session: refreshes with the parent token after the grace period. */
      lateRetries: c.int('late_retries').notNull().default(0),
      /** When the last late retry was counted; null before the first. */
      lateRetriedAt: c.int('late_retried_at'),
      /** 16 random bytes in base64url. The MAC key of the refresh tokens is derived from this salt and a data key. */
      macSalt: c.text('mac_salt').notNull().default(''),
      createdAt: c.int('created_at').notNull(),
      /** When the current generation began: the time of the last refresh, or of the login. */
      refreshedAt: c.int('refreshed_at').notNull().default(0),
      /** When the session expires: at the idle expiry, which each refresh postpones, or at the absolute expiry. */
      expiresAt: c.int('expires_at').notNull().default(0),
      endedAt: c.int('ended_at'),
      endReason: c.text('end_reason'),
      /**
       * When the clean-up next checks whether the session is over. A refresh raises `expires_at` but not this column,
       * which saves an update of the index.
       */
      reviewAt: c.int('review_at').notNull().default(0),
      /** The IP address of the last refresh, or of the login when there was none. */
      ip: c.text('ip'),
      userAgent: c.text('user_agent'),
      /**
       * The network in which a credential was last checked in this session. A refresh does not change this network.
       * Null after the user's known networks were forgotten, and for sessions of versions before 0.3.0 that had been
       * refreshed or began over IPv6.
       */
      loginNetwork: c.text('login_network'),
      /** The device of the login. Its row in `devices` may be deleted. Null for sessions of versions before 0.3.0. */
      deviceId: c.text('device_id'),
      /**
       * Browser and operating system, from the user agent of the login. Empty when the user agent names neither. Null
       * for a session of an earlier version, until the user lists the sessions.
       */
      deviceName: c.text('device_name'),
      /**
       * `api`: has a refresh token of Keyward's own. `browser`: has a cookie. `client`: began by a grant of a registered
       * client, whose tokens carry its id.
       */
      kind: c.text('kind').notNull().default('api'),
      /** The client of a session of the kind `client`. */
      clientId: c.text('client_id'),
      /** The scopes that the client was granted, separated by spaces. */
      scope: c.text('scope'),
      /** A JSON list of the resources (RFC 8707) that the client was granted. */
      resources: c.text('resources'),
      /** The browser session in which the client's session began. Both end together, unless `isOffline`. */
      parentId: c.text('parent_id'),
      /** True when the scope `offline_access` was granted: the session outlives the browser session. */
      isOffline: c.bool('is_offline').notNull().default(false),
      /** True for a browser session with "keep me signed in". */
      isRemembered: c.bool('is_remembered').notNull().default(false),
    },
    (t) => [
      c.index('sessions_user_id_ended_at_index').on(t.userId, t.endedAt),
      c.index('sessions_parent_id_index').on(t.parentId).where(sql`parent_id is not null`),
      c.index('sessions_review_at_index').on(t.reviewAt),
      // No column of these is changed by a refresh.
      c.index('sessions_of_client_index').on(t.clientId).where(sql`kind = 'client' and ended_at is null`),
      c.index('sessions_client_review_at_index').on(t.reviewAt).where(sql`kind = 'client' and ended_at is null`),
    ],
  ),
  /** The known devices. A device token is void when its device has no row, except tokens of versions before 0.3.0. */
  devices: c.table(
    'devices',
    {
      /** 128 random bits in base64url. The device token carries this id in the claim `jti`. */
      id: c.text('id').primaryKey(),
      userId: userReference(c, tables, 'user_id'),
      /** When the user last logged in on the device. */
      usedAt: c.int('used_at').notNull(),
    },
    (t) => [c.index('devices_user_id_index').on(t.userId)],
  ),
})
