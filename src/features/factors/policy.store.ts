import { and, count, eq, exists, inArray, isNotNull, isNull, lte, ne, not, or, type SQL, sql } from 'drizzle-orm'
import type { EpochMs } from '../../lib/clock.ts'
import { named, queryRows, statements } from '../../storage/statements.ts'
import type { Db } from '../../storage/store.ts'

const prepared = statements(({ t: { roles, userRoles, factorAccounts } }, { select }) => ({
  rolesRequiring: select({ role: roles.name, dueAt: factorAccounts.dueAt }, (q) =>
    q
      .from(roles)
      .innerJoin(userRoles, eq(userRoles.role, roles.name))
      .leftJoin(factorAccounts, eq(factorAccounts.userId, userRoles.userId))
      .where(
        and(
          eq(userRoles.userId, named('userId')),
          or(eq(roles.requiresSecondFactor, true), eq(roles.name, named('always'))),
        ),
      ),
  ),
  dueAt: select({ dueAt: factorAccounts.dueAt }, (q) =>
    q.from(factorAccounts).where(eq(factorAccounts.userId, named('userId'))),
  ),
}))

/**
 * Returns the granted roles of a user that require a second factor, each with `factor_accounts.due_at` of the user.
 * @param of.always the name of a role that requires one whatever its row says; empty for none
 */
export const rolesRequiring = async (
  db: Db,
  of: { userId: number; always: string },
): Promise<{ role: string; dueAt: EpochMs | null }[]> => queryRows(db, prepared(db).rolesRequiring, of)

/** Returns `factor_accounts.due_at`; null also when the user has no row. */
export const dueAtOf = async (db: Db, userId: number): Promise<EpochMs | null> =>
  (await queryRows(db, prepared(db).dueAt, { userId }))[0]?.dueAt ?? null

/** Sets `due_at` if it is not set yet. @returns false when it was set */
export async function announce(
  { q, t: { factorAccounts } }: Db,
  values: { userId: number; dueAt: EpochMs },
): Promise<boolean> {
  const set = await q
    .insert(factorAccounts)
    .values(values)
    .onConflictDoUpdate({
      target: factorAccounts.userId,
      set: { dueAt: values.dueAt },
      setWhere: isNull(factorAccounts.dueAt),
    })
    .returning({ userId: factorAccounts.userId })
  return set.length > 0
}

/** Sets `due_at`, also when it has another value. */
export const makeDue = (
  { q, t: { factorAccounts } }: Db,
  values: { userId: number; dueAt: EpochMs },
): Promise<unknown> =>
  q
    .insert(factorAccounts)
    .values(values)
    .onConflictDoUpdate({ target: factorAccounts.userId, set: { dueAt: values.dueAt } })

/** Who lacks a factor that is required. */
export interface BelowPolicy {
  /** True when everybody needs a second factor. */
  isForAll: boolean
  /** As in `rolesRequiring`. */
  always: string
  /** The RP ID whose passkeys and security keys work; empty when none does. */
  rpId: string
}

function isBelow({ q, t }: Db, { isForAll, always, rpId }: BelowPolicy): SQL | undefined {
  const { users, roles, userRoles, totpFactors, passkeys } = t
  const requiring = q
    .select({ role: userRoles.role })
    .from(userRoles)
    .innerJoin(roles, eq(roles.name, userRoles.role))
    .where(and(eq(userRoles.userId, users.id), or(eq(roles.requiresSecondFactor, true), eq(roles.name, always))))
  const apps = q
    .select({ id: totpFactors.id })
    .from(totpFactors)
    .where(and(eq(totpFactors.userId, users.id), isNotNull(totpFactors.confirmedAt)))
  const keys = q
    .select({ id: passkeys.id })
    .from(passkeys)
    .where(and(eq(passkeys.userId, users.id), eq(passkeys.rpId, rpId)))
  return and(
    eq(users.isActive, true),
    isNull(users.invitedAt),
    isForAll ? undefined : exists(requiring),
    not(exists(apps)),
    not(exists(keys)),
  )
}

/** Returns which of these users lack a factor that is required. */
export const belowPolicyAmong = async (db: Db, ids: readonly number[], policy: BelowPolicy): Promise<number[]> => {
  const { users } = db.t
  if (ids.length === 0) return []
  const rows = await db.q
    .select({ id: users.id })
    .from(users)
    .where(and(inArray(users.id, [...ids]), isBelow(db, policy)))
  return rows.map(({ id }) => id)
}

/** Counts the users who lack a factor that is required, and those of them whose grace period is over. */
export async function countBelowPolicy(
  db: Db,
  { now, ...policy }: BelowPolicy & { now: EpochMs },
): Promise<{ users: number; overdue: number }> {
  const { users, factorAccounts } = db.t
  const due = db.q
    .select({ at: factorAccounts.dueAt })
    .from(factorAccounts)
    .where(and(eq(factorAccounts.userId, users.id), lte(factorAccounts.dueAt, now)))
  const [row] = await db.q
    .select({ users: count(), overdue: sql<number>`coalesce(sum(case when ${exists(due)} then 1 else 0 end), 0)` })
    .from(users)
    .where(isBelow(db, policy))
  return { users: Number(row?.users ?? 0), overdue: Number(row?.overdue ?? 0) }
}

/**
 * Counts the passkeys and security keys that were made for another RP ID, and the users who have no other factor.
 */
export async function countForeignKeys(db: Db, rpId: string): Promise<{ keys: number; stranded: number }> {
  const { q, t } = db
  const { users, passkeys, totpFactors } = t
  const [keys] = await q.select({ n: count() }).from(passkeys).where(ne(passkeys.rpId, rpId))
  const own = (condition: SQL) =>
    exists(
      q
        .select({ id: passkeys.id })
        .from(passkeys)
        .where(and(eq(passkeys.userId, users.id), condition)),
    )
  const apps = q
    .select({ id: totpFactors.id })
    .from(totpFactors)
    .where(and(eq(totpFactors.userId, users.id), isNotNull(totpFactors.confirmedAt)))
  const [stranded] = await q
    .select({ n: count() })
    .from(users)
    .where(and(own(ne(passkeys.rpId, rpId)), not(own(eq(passkeys.rpId, rpId))), not(exists(apps))))
  return { keys: Number(keys?.n ?? 0), stranded: Number(stranded?.n ?? 0) }
}
