import { endBelow } from './end.store.ts'
import type { EndedSession, EndReason } from './session.ts'
import type { SessionsNeeds } from './sessions.ts'

/**
 * Does what follows the end of sessions, in the transaction that has ended them: records the audit events, ends the
 * sessions of clients in browser sessions that have ended, and queues the logouts of clients.
 */
export async function followEnd(
  needs: SessionsNeeds,
  ended: readonly EndedSession[],
  { reason, ip }: { reason: EndReason; ip?: string },
): Promise<void> {
  await recordEnd(needs, ended, { reason, ip })
  await endClientsBelow(needs, ended, { ip })
}

/** Ends the sessions of clients in browser sessions that have ended, except those that are offline. */
export async function endClientsBelow(
  needs: SessionsNeeds,
  ended: readonly EndedSession[],
  { ip }: { ip?: string },
): Promise<void> {
  const { store: db, clock } = needs
  const reason = 'browser_session_ended'
  // A statement of its own, after the browser session has ended: on PostgreSQL, the statement that waited for the row of
  // the browser session would not see a session that began meanwhile.
  for (const { id, kind } of ended)
    if (kind === 'browser')
      await recordEnd(needs, await endBelow(db, { parentId: id, reason, now: clock.now() }), { reason, ip })
}

/** Records the audit events of ended sessions, and queues the logouts of clients. */
export async function recordEnd(
  needs: SessionsNeeds,
  ended: readonly EndedSession[],
  { reason, ip }: { reason: EndReason; ip?: string },
): Promise<void> {
  for (const { id: sessionId, userId, clientId } of ended) {
    const details = { reason, ...(clientId !== null && { client_id: clientId }) }
    await needs.audit.record({ event: 'session.ended', userId, sessionId, ip, details })
  }
  await queueLogouts(needs, ended)
}

/** Queues the logouts of those ended sessions that belong to clients, in the transaction that has ended them. */
export async function queueLogouts({ logouts }: SessionsNeeds, ended: readonly EndedSession[]): Promise<void> {
  const ofClients = ended.flatMap(({ id: sessionId, userId, clientId }) =>
    clientId === null ? [] : [{ sessionId, userId, clientId }],
  )
  if (ofClients.length > 0) await logouts.queue(ofClients)
}

/** A session of a client that has ended. */
export interface EndedClientSession {
  sessionId: string
  userId: number
  clientId: string
}
