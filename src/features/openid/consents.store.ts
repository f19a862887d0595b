import { and, asc, eq } from 'drizzle-orm'
import type { EpochMs } from '../../lib/clock.ts'
import { execute, named, readRows, statements } from '../../storage/statements.ts'
import type { Db } from '../../storage/store.ts'

const prepared = statements(({ q, t: { consents } }, { select, change }) => {
  const ofBoth = and(eq(consents.userId, named('userId')), eq(consents.clientId, named('clientId')))
  return {
    find: select({ scopes: consents.scopes, grantedAt: consents.grantedAt }, (q) => q.from(consents).where(ofBoth)),
    touch: change(
      q
        .update(consents)
        .set({ lastUsedAt: named('now') })
        .where(ofBoth),
    ),
  }
})

interface ConsentOf {
  userId: number
  clientId: string
}

/** What a user allowed a client to do. @returns undefined when there is no consent */
export async function find(
  db: Db,
  of: ConsentOf,
): Promise<{ scopes: readonly string[]; grantedAt: EpochMs } | undefined> {
  const [row] = await readRows(db, prepared(db).find, { ...of })
  return row && { scopes: row.scopes.split(' '), grantedAt: row.grantedAt }
}

/** Stores a consent. Call it in a transaction that found the former one, with the scopes of both. */
export async function put(
  { q, t: { consents } }: Db,
  { userId, clientId, scopes, now }: ConsentOf & { scopes: readonly string[]; now: EpochMs },
): Promise<void> {
  const row = { scopes: scopes.join(' '), grantedAt: now, lastUsedAt: now }
  await q
    .insert(consents)
    .values({ userId, clientId, ...row })
    .onConflictDoUpdate({ target: [consents.userId, consents.clientId], set: row })
}

/**
 * Records that a client begins a session with a consent, and locks the consent until the transaction ends: who withdraws
 * it meanwhile waits, and then ends the session too.
 * @returns false when there is no consent
 */
export const touch = async (db: Db, by: ConsentOf & { now: EpochMs }): Promise<boolean> =>
  (await execute(db, prepared(db).touch, { ...by })) > 0

/** A consent as its user sees it. */
export interface ConsentSummary {
  clientId: string
  clientName: string
  homeUri: string | null
  scopes: string
  grantedAt: EpochMs
  lastUsedAt: EpochMs
}

export const listOf = ({ q, t: { consents, clients } }: Db, userId: number): Promise<ConsentSummary[]> =>
  q
    .select({
      clientId: consents.clientId,
      clientName: clients.name,
      homeUri: clients.homeUri,
      scopes: consents.scopes,
      grantedAt: consents.grantedAt,
      lastUsedAt: consents.lastUsedAt,
    })
    .from(consents)
    .innerJoin(clients, eq(clients.id, consents.clientId))
    .where(eq(consents.userId, userId))
    .orderBy(asc(clients.name), asc(clients.id))

/** Deletes a consent. @returns false when there was none */
export async function remove({ q, t: { consents } }: Db, { userId, clientId }: ConsentOf): Promise<boolean> {
  const gone = await q
    .delete(consents)
    .where(and(eq(consents.userId, userId), eq(consents.clientId, clientId)))
    .returning({ clientId: consents.clientId })
  return gone.length > 0
}
