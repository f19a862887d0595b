import { eq, sql } from 'drizzle-orm'
import type { Columns } from '../columns.ts'
import type { Db } from '../store.ts'

/** @owner users */
export const userTables = (c: Columns) => ({
  users: c.table(
    'users',
    {
      id: c.id('id'),
      /** Where mail is sent: the local part as the user typed it, the domain in IDNA ASCII form. */
      email: c.text('email').notNull(),
      /** `email` in lower case, for uniqueness and login. */
      emailKey: c.text('email_key').notNull(),
      emailVerifiedAt: c.int('email_verified_at'),
      username: c.text('username').notNull(),
      usernameKey: c.text('username_key').notNull(),
      passwordHash: c.text('password_hash'),
      /** How the password was hashed, a `PasswordScheme`. The text of a bcrypt hash does not show its scheme. */
      passwordScheme: c.text('password_scheme'),
      /** The language in which the user gets mail, a `Locale`; null when it is not known. */
      locale: c.text('locale'),
      isActive: c.bool('is_active').notNull(),
      /** A session is alive only while its epoch equals this number. Raising the number ends all sessions. */
      sessionEpoch: c.int('session_epoch').notNull(),
      /**
       * All device tokens of the user that versions before 0.3.0 made carry this random number. Setting it to 0 voids
       * these tokens. Later tokens have rows in `devices`.
       */
      deviceEpoch: c.int('device_epoch').notNull().default(0),
      createdAt: c.int('created_at').notNull(),
      updatedAt: c.int('updated_at').notNull(),
    },
    (t) => [
      c.uniqueIndex('users_email_key_unique').on(t.emailKey),
      c.uniqueIndex('users_username_key_unique').on(t.usernameKey),
    ],
  ),
  /** The usernames of deleted users. Nobody can register one of them until an administrator frees it. */
  reservedNames: c.table('reserved_names', {
    /** HMAC-SHA-256 of the username's key. The name itself is not stored. */
    mac: c.text('mac').primaryKey(),
    reservedAt: c.int('reserved_at').notNull(),
  }),
})

/** A column that refers to a user. Deleting the user deletes the row. */
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
  isActive: users.isActive,
  sessionEpoch: users.sessionEpoch,
  deviceEpoch: users.deviceEpoch,
  createdAt: users.createdAt,
  /** Names of the user's roles, space separated. A scalar subselect costs less than a join. */
  grantedRoles: sql<string | null>`(${q
    .select({ names: sql`string_agg(${userRoles.role}, ' ')` })
    .from(userRoles)
    .where(eq(userRoles.userId, users.id))})`,
})
