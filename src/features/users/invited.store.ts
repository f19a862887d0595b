import { and, eq, isNotNull, sql } from 'drizzle-orm'
import type { EpochMs } from '../../lib/clock.ts'
import type { Locale } from '../../lib/locale.ts'
import type { Db } from '../../storage/store.ts'
import type { Invitation } from './user.ts'
import type { Username } from './username.ts'

export async function find({ q, t: { users } }: Db, id: number): Promise<Invitation | undefined> {
  const [row] = await q.select({ at: users.invitedAt, by: users.invitedBy }).from(users).where(eq(users.id, id))
  return row?.at ? { at: row.at, by: row.by } : undefined
}

const isOpen = ({ t: { users } }: Db, id: number) =>
  and(eq(users.id, id), eq(users.isActive, true), isNotNull(users.invitedAt))

/** @returns false when the user has no open invitation, is inactive, or was deleted */
export async function renew(
  db: Db,
  { id, by, now }: { id: number; by: number | null; now: EpochMs },
): Promise<boolean> {
  const { users } = db.t
  const renewed = await db.q
    .update(users)
    .set({ invitedAt: now, invitedBy: by })
    .where(isOpen(db, id))
    .returning({ id: users.id })
  return renewed.length > 0
}

/**
 * @returns false when the user has no open invitation, is inactive, or was deleted
 * @throws a unique violation of `users.username_key` when the username is taken
 */
export async function accept(
  db: Db,
  {
    id,
    username,
    hash,
    scheme,
    locale,
    now,
  }: { id: number; username: Username; hash: string; scheme: string; locale: Locale | null; now: EpochMs },
): Promise<boolean> {
  const { users } = db.t
  const accepted = await db.q
    .update(users)
    .set({
      ...username,
      passwordHash: hash,
      passwordScheme: scheme,
      locale: sql`coalesce(${users.locale}, ${locale})`,
      invitedAt: null,
      invitedBy: null,
      updatedAt: now,
    })
    .where(isOpen(db, id))
    .returning({ id: users.id })
  return accepted.length > 0
}
