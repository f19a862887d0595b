import { eq, sql } from 'drizzle-orm'
import type { Columns } from '../columns.ts'
import type { Db } from '../store.ts'

/** @owner users */
export const userTables = (c: Columns) => ({
  users: c.table(
    'users',
    {
      id: c.id('id'),
      /** The address for mail: the local part as the user typed it, the domain in IDNA ASCII form. */
      email: c.text('email').notNull(),
      /** `email` in lower case, by which logins find the user. No two users have the same `email_key`. */
      emailKey: c.sortedText('email_key').notNull(),
      emailVerifiedAt: c.int('email_verified_at'),
      username: c.text('username').notNull(),
      usernameKey: c.sortedText('username_key').notNull(),
      /** The person's name, free text of 1 to 100 characters; null when the person gave none. */
      name: c.text('name'),
      passwordHash: c.text('password_hash'),
      /** A `PasswordScheme` of `features/passwords`. The text of a bcrypt hash does not show the scheme. */
      passwordScheme: c.text('password_scheme'),
      /** The language of mails to the user and of pages, a `Locale` of `lib/locale.ts`; null when the language is not known. */
      locale: c.text('locale'),
      /**
       * The id in the service from which the user was imported, if it is no whole number that `id` can keep; null for
       * every other user.
       */
      externalId: c.text('external_id'),
      /** The service that assigned `external_id`, such as `supabase`; null without an `external_id`. */
      externalSource: c.text('external_source'),
      isActive: c.bool('is_active').notNull(),
      /** When a deactivated user becomes active by itself; null for an active user, and for a deactivation without an end. */
      inactiveUntil: c.int('inactive_until'),
      /** A session is alive only while its `epoch` equals this number. Raising it ends all sessions of the user. */
      sessionEpoch: c.int('session_epoch').notNull(),
      /**
       * A random number in the user's device tokens of versions before 0.3.0. The value 0 voids these tokens. Device
       * tokens of later versions do not carry this number: their devices have rows in `devices`.
       */
      deviceEpoch: c.int('device_epoch').notNull().default(0),
      /** When the user was last invited. Null when the user has accepted the invitation, or was never invited. */
      invitedAt: c.int('invited_at'),
      /** The id of the administrator of the last invitation; null for a command, and without an open invitation. */
      invitedBy: c.int('invited_by'),
      createdAt: c.int('created_at').notNull(),
      updatedAt: c.int('updated_at').notNull(),
    },
    (t) => [
      c.index('users_inactive_until_index').on(t.inactiveUntil).where(sql`inactive_until is not null`),
      c.uniqueIndex('users_email_key_unique').on(t.emailKey),
      c.uniqueIndex('users_username_key_unique').on(t.usernameKey),
      // The id comes first, so that the index also finds a user by the id alone.
      c.uniqueIndex('users_external_id_unique').on(t.externalId, t.externalSource).where(sql`external_id is not null`),
      // For lists by age.
      c.index('users_created_at_index').on(t.createdAt, t.id),
      // Few users are inactive, so an administrator who looks for them need not wait for a read of all users.
      c.index('users_inactive_index').on(t.id).where(sql`not is_active`),
    ],
  ),
  /**
   * The former usernames: those of deleted users, and those that users have changed. Nobody else can take such a name
   * until an administrator frees the name.
   */
  reservedNames: c.table(
    'reserved_names',
    {
      /** HMAC-SHA-256 of the former `users.username_key`. The name itself is not stored. */
      mac: c.text('mac').primaryKey(),
      reservedAt: c.int('reserved_at').notNull(),
      /** The user who had the name and may take it again. Null when the user was deleted. */
      userId: c.int('user_id'),
    },
    (t) => [c.index('reserved_names_user_id_index').on(t.userId)],
  ),
})

/** Declares a column that refers to a user. When the user is deleted, the database deletes the row. */
export const userReference = (c: Columns, { users }: ReturnType<typeof userTables>, name: string) =>
  c
    .int(name)
    .notNull()
    .references(() => users.id, { onDelete: 'cascade' })

/** The fields of a `User` of `features/users/user.ts`, for the statements of every feature that reads users. */
export const userColumns = ({ q, t: { users, userRoles } }: Db) => ({
  id: users.id,
  email: users.email,
  emailVerifiedAt: users.emailVerifiedAt,
  username: users.username,
  name: users.name,
  locale: users.locale,
  isActive: users.isActive,
  inactiveUntil: users.inactiveUntil,
  sessionEpoch: users.sessionEpoch,
  deviceEpoch: users.deviceEpoch,
  invitedAt: users.invitedAt,
  createdAt: users.createdAt,
  updatedAt: users.updatedAt,
  /** The names of the granted roles, space separated; null without any. A scalar subselect costs less than a join. */
  grantedRoles: sql<string | null>`(${q
    .select({ names: sql`string_agg(${userRoles.role}, ' ')` })
    .from(userRoles)
    .where(eq(userRoles.userId, users.id))})`,
})
