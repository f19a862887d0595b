import { and, asc, count, eq, getTableColumns, gt, isNull, lte, max, or, sql } from 'drizzle-orm'
import type { EpochMs } from '../../lib/clock.ts'
import { castPlaceholder } from '../../storage/cast-placeholder.ts'
import { named, queryRows, statements } from '../../storage/statements.ts'
import type { Db } from '../../storage/store.ts'
import { userColumns } from '../../storage/tables/users.ts'
import type { FormerValues } from '../secrets/secrets.ts'
import type { ApiKey } from './api-keys.ts'

const prepared = statements((db, { select }) => {
  const { apiKeys, users } = db.t
  return {
    findLive: select(
      { id: apiKeys.id, scopes: apiKeys.scopes, lastUsedAt: apiKeys.lastUsedAt, owner: userColumns(db) },
      (q) =>
        q
          .from(apiKeys)
          .innerJoin(users, eq(users.id, apiKeys.ownerId))
          .where(
            and(
              eq(apiKeys.mac, castPlaceholder('mac', 'text')),
              sql`${users.isActive}`,
              isNull(apiKeys.revokedAt),
              or(isNull(apiKeys.expiresAt), gt(apiKeys.expiresAt, named('now'))),
            ),
          ),
    ),
  }
})

/** Finds a key that is neither revoked nor expired and whose owner is active. */
export const findLive = async (db: Db, by: { mac: string; now: EpochMs }) =>
  (await queryRows(db, prepared(db).findLive, by))[0]

export async function insert(
  { q, t: { apiKeys } }: Db,
  key: Pick<ApiKey, 'ownerId' | 'name' | 'scopes' | 'createdAt' | 'expiresAt'> & { mac: string },
): Promise<number> {
  const [row] = await q.insert(apiKeys).values(key).returning({ id: apiKeys.id })
  return row!.id
}

/** Records a use of an API key. `mac` is the MAC of the current data key, and replaces the stored MAC. */
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

/** Revokes the keys of one owner that are not revoked yet. @returns the ids of these keys */
export async function revokeOf(
  { q, t: { apiKeys } }: Db,
  { ownerId, now }: { ownerId: number; now: EpochMs },
): Promise<number[]> {
  const revoked = await q
    .update(apiKeys)
    .set({ revokedAt: now })
    .where(and(eq(apiKeys.ownerId, ownerId), isNull(apiKeys.revokedAt)))
    .returning({ id: apiKeys.id })
  return revoked.map(({ id }) => id)
}

/** @returns the id and the owner of each revoked key */
export const revokeAll = ({ q, t: { apiKeys } }: Db, now: EpochMs): Promise<{ id: number; ownerId: number }[]> =>
  q
    .update(apiKeys)
    .set({ revokedAt: now })
    .where(isNull(apiKeys.revokedAt))
    .returning({ id: apiKeys.id, ownerId: apiKeys.ownerId })

/** Counts the keys that are neither revoked nor expired, were made until `since`, and were not used after `since`. */
export async function countUnusedSince(
  { q, t: { apiKeys } }: Db,
  { since, now }: { since: EpochMs; now: EpochMs },
): Promise<FormerValues> {
  const [row] = await q
    .select({ keys: count(), ending: count(apiKeys.expiresAt), until: max(apiKeys.expiresAt) })
    .from(apiKeys)
    .where(
      and(
        isNull(apiKeys.revokedAt),
        or(isNull(apiKeys.expiresAt), gt(apiKeys.expiresAt, now)),
        lte(apiKeys.createdAt, since),
        or(isNull(apiKeys.lastUsedAt), lte(apiKeys.lastUsedAt, since)),
      ),
    )
  const { keys = 0, ending = 0, until = null } = row ?? {}
  return { count: Number(keys), until: until !== null && Number(keys) === Number(ending) ? Number(until) : null }
}

export function list({ q, t: { apiKeys } }: Db): Promise<ApiKey[]> {
  const { mac: _, ...columns } = getTableColumns(apiKeys)
  return q.select(columns).from(apiKeys).orderBy(asc(apiKeys.id))
}

/** Up to `limit` keys with an id above `after`, by ascending id. */
export function listPage(
  { q, t: { apiKeys } }: Db,
  { ownerId, after, limit }: { ownerId?: number; after: number; limit: number },
): Promise<ApiKey[]> {
  const { mac: _, ...columns } = getTableColumns(apiKeys)
  return q
    .select(columns)
    .from(apiKeys)
    .where(and(gt(apiKeys.id, after), ownerId === undefined ? undefined : eq(apiKeys.ownerId, ownerId)))
    .orderBy(asc(apiKeys.id))
    .limit(limit)
}

/** A key that is not revoked. */
export async function find({ q, t: { apiKeys } }: Db, id: number): Promise<ApiKey | undefined> {
  const { mac: _, ...columns } = getTableColumns(apiKeys)
  const found = await q
    .select(columns)
    .from(apiKeys)
    .where(and(eq(apiKeys.id, id), isNull(apiKeys.revokedAt)))
  return found[0]
}

/** The keys of one owner, without their MACs. */
export function listOf({ q, t: { apiKeys } }: Db, ownerId: number): Promise<Omit<ApiKey, 'ownerId'>[]> {
  const { mac: _mac, ownerId: _ownerId, ...columns } = getTableColumns(apiKeys)
  return q.select(columns).from(apiKeys).where(eq(apiKeys.ownerId, ownerId)).orderBy(asc(apiKeys.id))
}
