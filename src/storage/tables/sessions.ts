import type { Columns } from '../columns.ts'
import type { userTables } from './users.ts'

export const sessionTables = (c: Columns, { users }: ReturnType<typeof userTables>) => ({
  sessions: c.table(
    'sessions',
    {
      /** 128 random bits in base64url; the `sid` of its access tokens. */
      id: c.text('id').primaryKey(),
      userId: c
        .int('user_id')
        .notNull()
        .references(() => users.id, { onDelete: 'cascade' }),
      /** The user's `session_epoch` when the credential was checked. */
      epoch: c.int('epoch').notNull(),
      /** Authentication methods (RFC 8176), space separated. */
      amr: c.text('amr').notNull(),
      authTime: c.int('auth_time').notNull(),
      /** Counts refreshes; the one refresh token that is good carries it. */
      generation: c.int('generation').notNull().default(0),
      /** The highest generation of which a token was seen: its parent is not needed any more. */
      confirmedGeneration: c.int('confirmed_generation').notNull().default(0),
      /** 16 random bytes; with SECRET_KEY they make the key of this session's refresh tokens. */
      macSalt: c.text('mac_salt').notNull().default(''),
      createdAt: c.int('created_at').notNull(),
      /** When the present generation was made. */
      refreshedAt: c.int('refreshed_at').notNull().default(0),
      /** The earlier of the idle and the absolute end. */
      expiresAt: c.int('expires_at').notNull().default(0),
      endedAt: c.int('ended_at'),
      endReason: c.text('end_reason'),
      /** When clean-up looks at it next, which is before it has been dead for long. A refresh leaves it alone, and so all indexes. */
      reviewAt: c.int('review_at').notNull().default(0),
      /** Where the session was last refreshed from. */
      ip: c.text('ip'),
      userAgent: c.text('user_agent'),
    },
    (t) => [
      c.index('sessions_user_id_ended_at_index').on(t.userId, t.endedAt),
      c.index('sessions_review_at_index').on(t.reviewAt),
    ],
  ),
})
