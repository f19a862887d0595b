import { and, eq, inArray, isNull, lt } from 'drizzle-orm'
import type { EpochMs } from '../../lib/clock.ts'
import { execute, named, queryRows, statements } from '../../storage/statements.ts'
import type { Db } from '../../storage/store.ts'

/** An authorization code as it is stored. */
export interface StoredCode {
  clientId: string
  userId: number
  browserSessionId: string
  redirectUri: string
  scope: string
  /** A JSON list. */
  resources: string
  nonce: string | null
  codeChallenge: string | null
  expiresAt: EpochMs
  /**
   * The id for the session of the code; null until the code is used. If the use was refused, no session has this id.
   */
  sessionId: string | null
}

const prepared = statements(({ q, t: { authorizationCodes: codes } }, { select, change, returning }) => {
  const stored = {
    clientId: codes.clientId,
    userId: codes.userId,
    browserSessionId: codes.browserSessionId,
    redirectUri: codes.redirectUri,
    scope: codes.scope,
    resources: codes.resources,
    nonce: codes.nonce,
    codeChallenge: codes.codeChallenge,
    expiresAt: codes.expiresAt,
    sessionId: codes.sessionId,
  }
  return {
    insert: change(
      q.insert(codes).values({
        mac: named('mac'),
        clientId: named('clientId'),
        userId: named('userId'),
        browserSessionId: named('browserSessionId'),
        redirectUri: named('redirectUri'),
        scope: named('scope'),
        resources: named('resources'),
        nonce: named('nonce'),
        codeChallenge: named('codeChallenge'),
        createdAt: named('now'),
        expiresAt: named('expiresAt'),
      }),
    ),
    use: returning(
      stored,
      q
        .update(codes)
        .set({ usedAt: named('now'), sessionId: named('sessionId') })
        .where(and(eq(codes.mac, named('mac')), isNull(codes.usedAt))),
    ),
    find: select(stored, (q) => q.from(codes).where(eq(codes.mac, named('mac')))),
  }
})

export const insert = (db: Db, code: Omit<StoredCode, 'sessionId'> & { mac: string; now: EpochMs }): Promise<unknown> =>
  execute(db, prepared(db).insert, { ...code })

/**
 * Marks a code as used, and records the id of the session that it is to begin.
 * @returns undefined when there is no such code, or when it was used before
 */
export const use = async (
  db: Db,
  by: { mac: string; sessionId: string; now: EpochMs },
): Promise<StoredCode | undefined> => (await queryRows(db, prepared(db).use, by))[0]

/** A code, used or not. */
export const find = async (db: Db, mac: string): Promise<StoredCode | undefined> =>
  (await queryRows(db, prepared(db).find, { mac }))[0]

/** Deletes the codes of a user at a client that were not used yet. */
export const removeUnused = (
  { q, t: { authorizationCodes: codes } }: Db,
  { userId, clientId }: { userId: number; clientId: string },
): Promise<unknown> =>
  q.delete(codes).where(and(eq(codes.userId, userId), eq(codes.clientId, clientId), isNull(codes.usedAt)))

/** Deletes up to `limit` codes that expired before `before`. @returns how many */
export async function deleteOld(
  { q, t: { authorizationCodes: codes } }: Db,
  { before, limit }: { before: EpochMs; limit: number },
): Promise<number> {
  const old = q.select({ mac: codes.mac }).from(codes).where(lt(codes.expiresAt, before)).limit(limit)
  return (await q.delete(codes).where(inArray(codes.mac, old)).returning({ mac: codes.mac })).length
}
