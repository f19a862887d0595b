import { and, asc, eq, inArray, lt, lte, or, sql } from 'drizzle-orm'
import type { EpochMs } from '../../lib/clock.ts'
import type { Db } from '../../storage/store.ts'
import type { CredentialHint, CredentialKind } from './webauthn/options.ts'

/** A passkey or security key, as an assertion needs it. */
export interface StoredPasskey {
  id: number
  userId: number
  publicKey: string
  alg: number
  kind: CredentialKind
  name: string
  isUvInitialized: boolean
  isBackupEligible: boolean
  /** The user handle of its owner. */
  userHandle: string | null
}

/** The passkey or security key of this RP ID with this credential id. */
export async function findByCredentialId(
  { q, t: { passkeys: p, factorAccounts: a } }: Db,
  { credentialId, rpId }: { credentialId: string; rpId: string },
): Promise<StoredPasskey | undefined> {
  const [found] = await q
    .select({
      id: p.id,
      userId: p.userId,
      publicKey: p.publicKey,
      alg: p.alg,
      kind: sql<CredentialKind>`${p.kind}`,
      name: p.name,
      isUvInitialized: p.isUvInitialized,
      isBackupEligible: p.isBackupEligible,
      userHandle: a.webauthnHandle,
    })
    .from(p)
    .leftJoin(a, eq(a.userId, p.userId))
    .where(and(eq(p.credentialId, credentialId), eq(p.rpId, rpId)))
  return found
}

export interface NewPasskey {
  userId: number
  credentialId: string
  publicKey: string
  alg: number
  signCount: number
  rpId: string
  kind: CredentialKind
  isUvInitialized: boolean
  isBackupEligible: boolean
  isBackedUp: boolean
  aaguid: string
  transports: readonly string[]
  name: string
  createdAt: EpochMs
}

/** @returns its id; undefined when a user has this credential already */
export async function insert(
  { q, t: { passkeys: p } }: Db,
  { transports, ...passkey }: NewPasskey,
): Promise<number | undefined> {
  const [row] = await q
    .insert(p)
    .values({ ...passkey, transports: JSON.stringify(transports) })
    .onConflictDoNothing({ target: p.credentialId })
    .returning({ id: p.id })
  return row?.id
}

/** The credentials of a user for this RP ID, the oldest first, for a browser. */
export async function hintsOf(
  { q, t: { passkeys: p } }: Db,
  { userId, rpId }: { userId: number; rpId: string },
): Promise<(CredentialHint & { kind: CredentialKind })[]> {
  const rows = await q
    .select({ credentialId: p.credentialId, transports: p.transports, kind: sql<CredentialKind>`${p.kind}` })
    .from(p)
    .where(and(eq(p.userId, userId), eq(p.rpId, rpId)))
    .orderBy(asc(p.id))
  return rows.map((row) => ({ ...row, transports: JSON.parse(row.transports) as string[] }))
}

interface Use {
  id: number
  signCount: number
  isBackedUp: boolean
  now: EpochMs
}

/** Records a use. @returns false, and writes nothing, when the counter has not grown, and is not 0 as always */
export async function recordUse(
  { q, t: { passkeys: p } }: Db,
  { id, signCount, isBackedUp, now }: Use,
): Promise<boolean> {
  const hasNoCounter = signCount === 0 ? eq(p.signCount, 0) : undefined
  const used = await q
    .update(p)
    .set({ signCount, isBackedUp, lastUsedAt: now })
    .where(and(eq(p.id, id), or(hasNoCounter, lt(p.signCount, signCount))))
    .returning({ id: p.id })
  return used.length > 0
}

/** Records a use of a synced passkey, whose counter may stand still or go back. The larger counter is kept. */
export const recordSyncedUse = (
  { q, t: { passkeys: p } }: Db,
  { id, signCount, isBackedUp, now }: Use,
): Promise<unknown> =>
  q
    .update(p)
    .set({
      signCount: sql`case when ${p.signCount} < ${signCount} then ${signCount} else ${p.signCount} end`,
      isBackedUp,
      lastUsedAt: now,
    })
    .where(eq(p.id, id))

/** The user handle of a user, which is `fresh` if the user has none yet. */
export async function handleOf(
  { q, t: { factorAccounts: a } }: Db,
  { userId, fresh }: { userId: number; fresh: string },
): Promise<string> {
  const [row] = await q
    .insert(a)
    .values({ userId, webauthnHandle: fresh })
    .onConflictDoUpdate({
      target: a.userId,
      set: { webauthnHandle: sql`coalesce(${a.webauthnHandle}, ${fresh})` },
    })
    .returning({ handle: a.webauthnHandle })
  return row!.handle!
}

/** Remembers a nonce until it expires. @returns false when it was used before */
export async function useNonce(
  { q, t: { usedNonces: n } }: Db,
  { nonce, expiresAt }: { nonce: string; expiresAt: EpochMs },
): Promise<boolean> {
  const used = await q.insert(n).values({ nonce, expiresAt }).onConflictDoNothing().returning({ nonce: n.nonce })
  return used.length > 0
}

export async function deleteExpiredNonces(
  { q, t: { usedNonces: n } }: Db,
  { now, limit }: { now: EpochMs; limit: number },
): Promise<number> {
  const expired = q.select({ nonce: n.nonce }).from(n).where(lte(n.expiresAt, now)).limit(limit)
  return (await q.delete(n).where(inArray(n.nonce, expired)).returning({ nonce: n.nonce })).length
}
