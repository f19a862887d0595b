import type { Columns } from '../columns.ts'

/** @owner audit */
export const auditTables = (c: Columns) => ({
  /** The deleted users whose events are being erased: IP addresses and session ids are removed from the events. */
  auditErasures: c.table('audit_erasures', {
    userId: c.int('user_id').primaryKey(),
    /**
     * The events of this user with an id below `next_id` have been erased, except those that were committed after an
     * event with a higher id.
     */
    nextId: c.int('next_id').notNull(),
    /** Until this time the row stays, because requests from before the deletion may still write events of the user. */
    keepUntil: c.int('keep_until').notNull(),
  }),
  auditEvents: c.table(
    'audit_events',
    {
      id: c.id('id'),
      at: c.int('at').notNull(),
      event: c.text('event').notNull(),
      /** The user to whom the event happened. There is no foreign key, because events outlive their users. */
      userId: c.int('user_id'),
      /** The user who caused the event, if another user than `userId` did. */
      actorId: c.int('actor_id'),
      sessionId: c.text('session_id'),
      /** The whole IP address. After AUDIT_IP_DAYS days, a job replaces the IP address by its network. */
      ip: c.text('ip'),
      /** When the whole IP address was written. Null if the row has a network, or no IP address at all. */
      ipWholeSince: c.int('ip_whole_since'),
      /** JSON; never contains a secret. */
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
