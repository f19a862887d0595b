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
      createdAt: c.int('created_at').notNull(),
      endedAt: c.int('ended_at'),
      endReason: c.text('end_reason'),
    },
    (t) => [c.index('sessions_user_id_index').on(t.userId)],
  ),
})
