import { and, asc, eq, gt, isNull, or, sql } from 'drizzle-orm'
import type { EpochMs } from '../../lib/clock.ts'
import { type Db, statements, unplanned } from '../../storage/store.ts'
import { userColumns } from '../../storage/tables/users.ts'
import type { User } from '../users/users.ts'
import type { ApiKey } from './api-keys.ts'

const prepared = statements((db) => {
  const {
    q,
    t: { apiKeys, users },
  } = db
  const named = sql.placeholder
  return {
    findLive: q
      .select({ id: apiKeys.id, scopes: apiKeys.scopes, lastUsedAt: apiKeys.lastUsedAt, owner: userColumns(db) })
      .from(apiKeys)
      .innerJoin(users, eq(users.id, apiKeys.ownerId))
      .where(
        and(
          eq(apiKeys.mac, unplanned('mac', 'text')),
          sql`${users.isActive}`,
          isNull(apiKeys.revokedAt),
          or(isNull(apiKeys.expiresAt), gt(apiKeys.expiresAt, named('now'))),
        ),
      )
      .prepare(),
  }
})

export interface LiveApiKey {
  id: number
  scopes: string
  lastUsedAt: EpochMs | null
  owner: User
}

/** A key that is neither revoked nor expired, of an owner who is active. */
export const findLive = async (db: Db, by: { mac: string; now: EpochMs }): Promise<LiveApiKey | undefined> =>
  (await prepared(db).findLive.execute(by))[0]

export async function insert(
  { q, t: { apiKeys } }: Db,
  key: { ownerId: number; name: string; mac: string; scopes: string; createdAt: EpochMs; expiresAt: EpochMs | null },
): Promise<number> {
  const [row] = await q.insert(apiKeys).values(key).returning({ id: apiKeys.id })
  return row!.id
}

/** Notes a use; `mac` moves the key to the present SECRET_KEY where it was made with the previous one. */
export async function touch(
  { q, t: { apiKeys } }: Db,
  { id, mac, lastUsedAt }: { id: number; mac: string; lastUsedAt: EpochMs },
): Promise<void> {
  await q.update(apiKeys).set({ mac, lastUsedAt }).where(eq(apiKeys.id, id))
}

export async function revoke({ q, t: { apiKeys } }: Db, { id, now }: { id: number; now: EpochMs }) {
  const [row] = await q
    .update(apiKeys)
    .set({ revokedAt: now })
    .where(and(eq(apiKeys.id, id), isNull(apiKeys.revokedAt)))
    .returning({ ownerId: apiKeys.ownerId })
  return row
}

export const list = ({ q, t: { apiKeys } }: Db): Promise<ApiKey[]> =>
  q
    .select({
      id: apiKeys.id,
      ownerId: apiKeys.ownerId,
      name: apiKeys.name,
      scopes: apiKeys.scopes,
      createdAt: apiKeys.createdAt,
      expiresAt: apiKeys.expiresAt,
      lastUsedAt: apiKeys.lastUsedAt,
      revokedAt: apiKeys.revokedAt,
    })
    .from(apiKeys)
    .orderBy(asc(apiKeys.id))
