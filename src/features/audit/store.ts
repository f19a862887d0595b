import { sql } from 'drizzle-orm'
import type { EpochMs } from '../../lib/clock.ts'
import { type Db, statements } from '../../storage/store.ts'
import type { AuditEvent } from './events.ts'

const prepared = statements(({ q, t: { auditEvents } }) => {
  const named = sql.placeholder
  return {
    insert: q
      .insert(auditEvents)
      .values({
        at: named('at'),
        event: named('event'),
        userId: named('userId'),
        actorId: named('actorId'),
        sessionId: named('sessionId'),
        ip: named('ip'),
        details: named('details'),
      })
      .prepare(),
  }
})

export const insert = (db: Db, { at, ...event }: AuditEvent & { at: EpochMs }): Promise<unknown> =>
  prepared(db).insert.execute({
    at,
    event: event.event,
    userId: event.userId ?? null,
    actorId: event.actorId ?? null,
    sessionId: event.sessionId ?? null,
    ip: event.ip ?? null,
    details: event.details ? JSON.stringify(event.details) : null,
  })
