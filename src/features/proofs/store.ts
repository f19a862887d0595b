import { and, eq, gt, inArray, isNotNull, lt, ne, or, sql } from 'drizzle-orm'
import type { EpochMs } from '../../lib/clock.ts'
import type { Db } from '../../storage/store.ts'
import type { Proof, ProofOf, ProofPurpose } from './proofs.ts'

type NewProof = ProofOf & {
  tokenMac: string | null
  codeMac: string | null
  codeUntil: EpochMs | null
  expiresAt: EpochMs
  createdAt: EpochMs
}

const columnsOf = ({ t: { proofs } }: Db) => ({
  id: proofs.id,
  purpose: sql<ProofPurpose>`${proofs.purpose}`,
  userId: proofs.userId,
  subject: proofs.subject,
  addressKey: proofs.addressKey,
  epoch: proofs.epoch,
  expiresAt: proofs.expiresAt,
  createdAt: proofs.createdAt,
})

export async function insert({ q, t: { proofs } }: Db, proof: NewProof): Promise<void> {
  await q.insert(proofs).values({ ...proof, tries: 0 })
}

/** Voids all tokens of this purpose that the user or the pending registration has. Codes stay valid. */
export async function voidTokens({ q, t: { proofs } }: Db, { purpose, userId, subject }: ProofOf): Promise<void> {
  const isSame =
    userId !== null ? eq(proofs.userId, userId) : subject !== null ? eq(proofs.subject, subject) : undefined
  if (isSame)
    await q
      .update(proofs)
      .set({ tokenMac: null })
      .where(and(isSame, eq(proofs.purpose, purpose)))
}

export async function findByToken(
  db: Db,
  { purpose, tokenMacs, now }: { purpose: ProofPurpose; tokenMacs: string[]; now: EpochMs },
): Promise<Proof | undefined> {
  const { proofs } = db.t
  const [row] = await db.q
    .select({ ...columnsOf(db), tokenMac: proofs.tokenMac })
    .from(proofs)
    .where(and(inArray(proofs.tokenMac, tokenMacs), eq(proofs.purpose, purpose), gt(proofs.expiresAt, now)))
  if (!row?.tokenMac) return undefined
  const { tokenMac, ...proof } = row
  return { ...proof, shown: { tokenMac } }
}

/** The address of a proof that has a code, also of an expired one. @returns undefined when there is no such proof */
export async function addressOf(
  { q, t: { proofs } }: Db,
  { id, purpose }: { id: string; purpose: ProofPurpose },
): Promise<string | undefined> {
  const rows = await q
    .select({ addressKey: proofs.addressKey })
    .from(proofs)
    .where(and(eq(proofs.id, id), eq(proofs.purpose, purpose), isNotNull(proofs.codeMac)))
  return rows[0]?.addressKey
}

/** Counts a try of a code. @returns undefined when the code is unknown, expired or out of tries */
export async function takeTry(
  db: Db,
  { id, purpose, now, most }: { id: string; purpose: ProofPurpose; now: EpochMs; most: number },
) {
  const { proofs } = db.t
  const [row] = await db.q
    .update(proofs)
    .set({ tries: sql`${proofs.tries} + 1` })
    .where(and(eq(proofs.id, id), eq(proofs.purpose, purpose), lt(proofs.tries, most), gt(proofs.codeUntil, now)))
    .returning({ ...columnsOf(db), codeMac: proofs.codeMac })
  return row
}

/**
 * Deletes a proof, so that nobody uses it again. The token or the code that the client sent (`shown`) must still be the
 * stored one, and must not have expired. @returns false otherwise; then the proof is not deleted
 */
export async function use(
  { q, t: { proofs } }: Db,
  { id, shown, now }: { id: string; shown: Proof['shown']; now: EpochMs },
): Promise<boolean> {
  const isShown =
    'tokenMac' in shown
      ? and(eq(proofs.tokenMac, shown.tokenMac), gt(proofs.expiresAt, now))
      : and(eq(proofs.codeMac, shown.codeMac), gt(proofs.codeUntil, now))
  const used = await q
    .delete(proofs)
    .where(and(eq(proofs.id, id), isShown))
    .returning({ id: proofs.id })
  return used.length > 0
}

/**
 * Deletes all proofs of the user and purpose. For `undo_email`, deletes only those of this address: the user may still
 * need the undo link of another former address.
 */
export async function deleteSiblings(
  { q, t: { proofs } }: Db,
  { userId, purpose, addressKey }: { userId: number; purpose: ProofPurpose; addressKey: string },
): Promise<void> {
  await q
    .delete(proofs)
    .where(
      and(
        eq(proofs.userId, userId),
        eq(proofs.purpose, purpose),
        purpose === 'undo_email' ? eq(proofs.addressKey, addressKey) : undefined,
      ),
    )
}

/** The proofs of a user, without their MACs. */
export function listOf({ q, t: { proofs } }: Db, userId: number) {
  const { id, purpose, addressKey, tries, codeUntil, expiresAt, createdAt } = proofs
  return q
    .select({ id, purpose, address: addressKey, tries, codeUntil, expiresAt, createdAt })
    .from(proofs)
    .where(eq(proofs.userId, userId))
}

export async function deleteOfUser({ q, t: { proofs } }: Db, userId: number): Promise<void> {
  await q.delete(proofs).where(and(eq(proofs.userId, userId), ne(proofs.purpose, 'undo_email')))
}

export async function isLive({ q, t: { proofs } }: Db, { id, now }: { id: string; now: EpochMs }): Promise<boolean> {
  const rows = await q
    .select({ id: proofs.id })
    .from(proofs)
    .where(
      and(
        eq(proofs.id, id),
        gt(proofs.expiresAt, now),
        or(isNotNull(proofs.tokenMac), and(isNotNull(proofs.codeMac), gt(proofs.codeUntil, now))),
      ),
    )
  return rows.length > 0
}

export async function deleteExpired(
  { q, t: { proofs } }: Db,
  { now, limit }: { now: EpochMs; limit: number },
): Promise<number> {
  const deleted = await q
    .delete(proofs)
    .where(inArray(proofs.id, q.select({ id: proofs.id }).from(proofs).where(lt(proofs.expiresAt, now)).limit(limit)))
    .returning({ id: proofs.id })
  return deleted.length
}
