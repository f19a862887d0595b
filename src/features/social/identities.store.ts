import { and, asc, eq, ne } from 'drizzle-orm'
import type { EpochMs } from '../../lib/clock.ts'
import type { Db } from '../../storage/store.ts'
import type { Identity, LinkedIdentity } from './identity.ts'

type Key = Pick<Identity, 'issuer' | 'subject'>

const isKey = ({ t: { identities } }: Db, { issuer, subject }: Key) =>
  and(eq(identities.issuer, issuer), eq(identities.subject, subject))

export const find = async (db: Db, key: Key): Promise<LinkedIdentity | undefined> =>
  (await db.q.select().from(db.t.identities).where(isKey(db, key)))[0]

/** The identities of a user, the oldest first. */
export const listOf = ({ q, t: { identities } }: Db, userId: number): Promise<LinkedIdentity[]> =>
  q.select().from(identities).where(eq(identities.userId, userId)).orderBy(asc(identities.id))

/** Adds a link. @returns false when the identity is linked, or the user has another identity of this provider */
export async function insert({ q, t: { identities } }: Db, row: Omit<LinkedIdentity, 'id'>): Promise<boolean> {
  const added = await q.insert(identities).values(row).onConflictDoNothing().returning({ id: identities.id })
  return added.length > 0
}

export const touch = ({ q, t: { identities } }: Db, { id, now }: { id: number; now: EpochMs }): Promise<unknown> =>
  q.update(identities).set({ lastUsedAt: now }).where(eq(identities.id, id))

/** Removes an identity of a user. @returns the identity; undefined when the user has none with this id */
export async function remove(
  { q, t: { identities } }: Db,
  { id, userId }: { id: number; userId: number },
): Promise<LinkedIdentity | undefined> {
  const removed = await q
    .delete(identities)
    .where(and(eq(identities.id, id), eq(identities.userId, userId)))
    .returning()
  return removed[0]
}

/** Removes all identities of a user. @returns them */
export const removeOf = ({ q, t: { identities } }: Db, userId: number): Promise<LinkedIdentity[]> =>
  q.delete(identities).where(eq(identities.userId, userId)).returning()

/** True when the user has an identity of a provider that is enabled, other than `id` if that is given. */
export async function hasOther(
  { q, t: { identities, providers } }: Db,
  { id, userId }: { id?: number; userId: number },
): Promise<boolean> {
  const isOther = id === undefined ? undefined : ne(identities.id, id)
  const others = await q
    .select({ id: identities.id })
    .from(identities)
    .innerJoin(providers, eq(providers.name, identities.provider))
    .where(and(eq(identities.userId, userId), isOther, eq(providers.isEnabled, true)))
    .limit(1)
  return others.length > 0
}
