import { and, asc, count, eq, isNotNull } from 'drizzle-orm'
import type { Db } from '../../storage/store.ts'
import type { Factor, FactorKey } from './factor.ts'
import { factorId } from './factor.ts'

/* What authenticator apps, passkeys and security keys have in common. A factor that no code has confirmed is not there. */

/** The RP ID whose passkeys and security keys work; null with `PASSKEYS=off`. */
export interface UsableKeys {
  rpId: string | null
}

/** The factors of a user, the oldest first. */
export async function listOf(
  { q, t: { totpFactors, passkeys } }: Db,
  { userId, rpId }: { userId: number } & UsableKeys,
): Promise<Factor[]> {
  const apps = await q
    .select({
      id: totpFactors.id,
      name: totpFactors.name,
      createdAt: totpFactors.createdAt,
      lastUsedAt: totpFactors.lastUsedAt,
    })
    .from(totpFactors)
    .where(and(eq(totpFactors.userId, userId), isNotNull(totpFactors.confirmedAt)))
    .orderBy(asc(totpFactors.id))
  const keys = await q
    .select({
      id: passkeys.id,
      name: passkeys.name,
      createdAt: passkeys.createdAt,
      lastUsedAt: passkeys.lastUsedAt,
      kind: passkeys.kind,
      isSynced: passkeys.isBackupEligible,
      aaguid: passkeys.aaguid,
      rpId: passkeys.rpId,
    })
    .from(passkeys)
    .where(eq(passkeys.userId, userId))
    .orderBy(asc(passkeys.id))
  const all: Factor[] = [
    ...apps.map(({ id, ...app }) => ({
      ...app,
      id: factorId({ table: 'totp', id }),
      type: 'totp' as const,
      isUsable: true,
    })),
    ...keys.map(({ id, kind, rpId: own, ...key }) => ({
      ...key,
      id: factorId({ table: 'passkey', id }),
      type: kind === 'passkey' ? ('passkey' as const) : ('security_key' as const),
      isUsable: own === rpId,
    })),
  ]
  return all.sort((a, b) => a.createdAt - b.createdAt)
}

/** How many factors a user has, usable or not. */
export async function countOf({ q, t: { totpFactors, passkeys } }: Db, userId: number): Promise<number> {
  const [apps] = await q
    .select({ n: count() })
    .from(totpFactors)
    .where(and(eq(totpFactors.userId, userId), isNotNull(totpFactors.confirmedAt)))
  const [keys] = await q.select({ n: count() }).from(passkeys).where(eq(passkeys.userId, userId))
  return Number(apps?.n ?? 0) + Number(keys?.n ?? 0)
}

/** Renames a factor of a user. @returns false when the user has no such factor */
export async function rename(
  { q, t: { totpFactors, passkeys } }: Db,
  { userId, table, id, name }: FactorKey & { userId: number; name: string },
): Promise<boolean> {
  if (table === 'totp') {
    const own = and(eq(totpFactors.id, id), eq(totpFactors.userId, userId), isNotNull(totpFactors.confirmedAt))
    const renamed = await q.update(totpFactors).set({ name }).where(own).returning({ id: totpFactors.id })
    return renamed.length > 0
  }
  const own = and(eq(passkeys.id, id), eq(passkeys.userId, userId))
  return (await q.update(passkeys).set({ name }).where(own).returning({ id: passkeys.id })).length > 0
}

/** Deletes a factor of a user. @returns false when the user has no such factor */
export async function remove(
  { q, t: { totpFactors, passkeys } }: Db,
  { userId, table, id }: FactorKey & { userId: number },
): Promise<boolean> {
  if (table === 'totp') {
    const own = and(eq(totpFactors.id, id), eq(totpFactors.userId, userId), isNotNull(totpFactors.confirmedAt))
    return (await q.delete(totpFactors).where(own).returning({ id: totpFactors.id })).length > 0
  }
  const own = and(eq(passkeys.id, id), eq(passkeys.userId, userId))
  return (await q.delete(passkeys).where(own).returning({ id: passkeys.id })).length > 0
}

/**
 * All that is stored about the factors of a user, for an export: lists of rows, by name, without secrets, public keys and
 * MACs.
 */
export async function exportOf({ q, t }: Db, userId: number): Promise<Record<string, object[]>> {
  const { factorAccounts: accounts, totpFactors: apps, passkeys: keys, recoveryCodes: codes } = t
  const { factorChallenges: challenges, trustedDevices: trusted } = t
  const { id, purpose, sessionId, amr, tries, createdAt, expiresAt } = challenges
  return {
    factorAccounts: await q
      .select({ failedInRow: accounts.failedInRow, lockedAt: accounts.lockedAt, dueAt: accounts.dueAt })
      .from(accounts)
      .where(eq(accounts.userId, userId)),
    authenticatorApps: await q
      .select({
        id: apps.id,
        name: apps.name,
        confirmedAt: apps.confirmedAt,
        lastUsedAt: apps.lastUsedAt,
        createdAt: apps.createdAt,
      })
      .from(apps)
      .where(eq(apps.userId, userId))
      .orderBy(asc(apps.id)),
    passkeys: await q
      .select({
        id: keys.id,
        name: keys.name,
        kind: keys.kind,
        rpId: keys.rpId,
        isUvInitialized: keys.isUvInitialized,
        isBackupEligible: keys.isBackupEligible,
        isBackedUp: keys.isBackedUp,
        aaguid: keys.aaguid,
        transports: keys.transports,
        createdAt: keys.createdAt,
        lastUsedAt: keys.lastUsedAt,
      })
      .from(keys)
      .where(eq(keys.userId, userId))
      .orderBy(asc(keys.id)),
    recoveryCodes: await q
      .select({ id: codes.id, createdAt: codes.createdAt, usedAt: codes.usedAt })
      .from(codes)
      .where(eq(codes.userId, userId))
      .orderBy(asc(codes.id)),
    factorChallenges: await q
      .select({ id, purpose, sessionId, amr, tries, createdAt, expiresAt })
      .from(challenges)
      .where(eq(challenges.userId, userId)),
    trustedDevices: await q
      .select({
        id: trusted.id,
        name: trusted.name,
        ip: trusted.ip,
        createdAt: trusted.createdAt,
        expiresAt: trusted.expiresAt,
      })
      .from(trusted)
      .where(eq(trusted.userId, userId))
      .orderBy(asc(trusted.createdAt), asc(trusted.id)),
  }
}
