import type { Columns } from '../columns.ts'

export const auditTables = (c: Columns) => ({
  auditEvents: c.table(
    'audit_events',
    {
      id: c.id('id'),
      at: c.int('at').notNull(),
      event: c.text('event').notNull(),
      /** Whom it happened to; kept when the account is gone, so no foreign key. */
      userId: c.int('user_id'),
      /** Who did it, where that is somebody else. */
      actorId: c.int('actor_id'),
      sessionId: c.text('session_id'),
      /** Whole at first, shortened to a network later. */
      ip: c.text('ip'),
      /** When the whole address was written; null once it is shortened, or where there is none. */
      ipWholeSince: c.int('ip_whole_since'),
      /** JSON; never a secret. */
      details: c.text('details'),
    },
    (t) => [
      c.index('audit_events_at_index').on(t.at),
      c.index('audit_events_ip_whole_since_index').on(t.ipWholeSince),
      c.index('audit_events_user_id_index').on(t.userId, t.id),
      c.index('audit_events_event_index').on(t.event, t.id),
    ],
  ),
})
