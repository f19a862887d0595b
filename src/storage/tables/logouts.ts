import type { Columns } from '../columns.ts'

/** @owner logouts */
export const logoutTables = (c: Columns) => ({
  /**
   * Logout tokens that clients have still to get (OpenID Connect Back-Channel Logout 1.0). A row is deleted when the
   * client has got its token or it is given up. The user may be deleted before, so the columns refer to nothing.
   */
  logoutDeliveries: c.table(
    'logout_deliveries',
    {
      id: c.id('id'),
      clientId: c.text('client_id').notNull(),
      sessionId: c.text('session_id').notNull(),
      userId: c.int('user_id').notNull(),
      /** How many attempts have begun. */
      attempts: c.int('attempts').notNull().default(0),
      /** When the next attempt is due. An attempt that has begun moves it, in case the process crashes. */
      nextAt: c.int('next_at').notNull(),
      createdAt: c.int('created_at').notNull(),
      /** Why the last attempt failed. */
      lastError: c.text('last_error'),
    },
    (t) => [
      c.index('logout_deliveries_client_id_next_at_index').on(t.clientId, t.nextAt),
      c.index('logout_deliveries_created_at_index').on(t.createdAt),
    ],
  ),
})
