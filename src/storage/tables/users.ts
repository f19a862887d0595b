import { eq, sql } from 'drizzle-orm'
import type { Columns } from '../columns.ts'
import type { Db } from '../store.ts'

export const userTables = (c: Columns) => ({
  users: c.table(
    'users',
    {
      id: c.id('id'),
      /** As its owner wrote the local part, the domain in IDNA ASCII form: where mail is sent. */
      email: c.text('email').notNull(),
      /** `email` in lower case: what uniqueness and log-in look at. */
      emailKey: c.text('email_key').notNull(),
      emailVerifiedAt: c.int('email_verified_at'),
      username: c.text('username').notNull(),
      usernameKey: c.text('username_key').notNull(),
      passwordHash: c.text('password_hash'),
      /** What made the hash; nothing in a bcrypt hash tells. See `features/users/password.ts`. */
      passwordScheme: c.text('password_scheme'),
      isActive: c.bool('is_active').notNull(),
      /** Raised to end all sessions at once; a session lives only while it carries the current one. */
      sessionEpoch: c.int('session_epoch').notNull(),
      /** Random from the first log-in on, and in every device token of the user; set to 0 to void them all. */
      deviceEpoch: c.int('device_epoch').notNull().default(0),
      createdAt: c.int('created_at').notNull(),
      updatedAt: c.int('updated_at').notNull(),
    },
    (t) => [
      c.uniqueIndex('users_email_key_unique').on(t.emailKey),
      c.uniqueIndex('users_username_key_unique').on(t.usernameKey),
    ],
  ),
})

/** What `features/users/user.ts` calls a `User`, for every statement that reads one. */
export const userColumns = ({ q, t: { users, userRoles } }: Db) => ({
  id: users.id,
  email: users.email,
  emailVerifiedAt: users.emailVerifiedAt,
  username: users.username,
  isActive: users.isActive,
  sessionEpoch: users.sessionEpoch,
  deviceEpoch: users.deviceEpoch,
  createdAt: users.createdAt,
  /** Names of the roles that were given, space separated. A scalar subselect costs less than a join. */
  grantedRoles: sql<string | null>`(${q
    .select({ names: sql`string_agg(${userRoles.role}, ' ')` })
    .from(userRoles)
    .where(eq(userRoles.userId, users.id))})`,
})
