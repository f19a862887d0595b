import { and, eq, gt, inArray, lt, lte, sql } from 'drizzle-orm'
import type { EpochMs } from '../../lib/clock.ts'
import type { Db } from '../../storage/store.ts'
import type { ChallengePurpose } from './challenges.ts'

/** A row of `factor_challenges` that is not written yet. */
interface NewRow {
  id: string
  purpose: ChallengePurpose
  mac: string | null
  userId: number
  sessionId: string | null
  epoch: number
  amr: string
  login: string
  challenge: string | null
  now: EpochMs
  expiresAt: EpochMs
}

export const insert = ({ q, t: { factorChallenges } }: Db, { now, ...row }: NewRow): Promise<unknown> =>
  q.insert(factorChallenges).values({ ...row, tries: 0, createdAt: now })

/** A live challenge that has tries left. */
export async function findByMac(
  { q, t: { factorChallenges: c } }: Db,
  { purpose, macs, now, tries }: { purpose: ChallengePurpose; macs: string[]; now: EpochMs; tries: number },
) {
  const { id, userId, epoch, amr, login, expiresAt } = c
  const rows = await q
    .select({ id, userId, epoch, amr, login, expiresAt })
    .from(c)
    .where(and(inArray(c.mac, macs), eq(c.purpose, purpose), gt(c.expiresAt, now), lt(c.tries, tries)))
  return rows[0]
}

/** Counts a try. @returns false when the challenge is over, or `most` tries were counted */
export async function takeTry(
  { q, t: { factorChallenges: c } }: Db,
  { id, most, now }: { id: string; most: number; now: EpochMs },
): Promise<boolean> {
  const taken = await q
    .update(c)
    .set({ tries: sql`${c.tries} + 1` })
    .where(and(eq(c.id, id), lt(c.tries, most), gt(c.expiresAt, now)))
    .returning({ id: c.id })
  return taken.length > 0
}

/** Deletes a live challenge. @returns false when it is over */
export async function end(
  { q, t: { factorChallenges: c } }: Db,
  { id, now }: { id: string; now: EpochMs },
): Promise<boolean> {
  const ended = await q
    .delete(c)
    .where(and(eq(c.id, id), gt(c.expiresAt, now)))
    .returning({ id: c.id })
  return ended.length > 0
}

export async function setWebauthn(
  { q, t: { factorChallenges: c } }: Db,
  { id, challenge, now }: { id: string; challenge: string; now: EpochMs },
): Promise<boolean> {
  const set = await q
    .update(c)
    .set({ challenge })
    .where(and(eq(c.id, id), gt(c.expiresAt, now)))
    .returning({ id: c.id })
  return set.length > 0
}

export async function findWebauthn(
  { q, t: { factorChallenges: c } }: Db,
  { id, now }: { id: string; now: EpochMs },
): Promise<string | undefined> {
  const rows = await q
    .select({ challenge: c.challenge })
    .from(c)
    .where(and(eq(c.id, id), gt(c.expiresAt, now)))
  return rows[0]?.challenge ?? undefined
}

/** Uses up a challenge of WebAuthn. @returns false when another request has used or replaced it */
export async function useWebauthn(
  { q, t: { factorChallenges: c } }: Db,
  { id, challenge }: { id: string; challenge: string },
): Promise<boolean> {
  const used = await q
    .update(c)
    .set({ challenge: null })
    .where(and(eq(c.id, id), eq(c.challenge, challenge)))
    .returning({ id: c.id })
  return used.length > 0
}

const ofCeremony = (
  { factorChallenges: c }: Db['t'],
  { purpose, sessionId }: { purpose: 'register' | 'step_up'; sessionId: string },
) => and(eq(c.purpose, purpose), eq(c.sessionId, sessionId))

export const removeCeremonies = (
  { q, t }: Db,
  of: { purpose: 'register' | 'step_up'; sessionId: string },
): Promise<unknown> => q.delete(t.factorChallenges).where(ofCeremony(t, of))

/** Deletes the live ceremony of a session. @returns undefined when there is none */
export async function takeCeremony(
  { q, t }: Db,
  { id, now, ...of }: { id?: string; purpose: 'register' | 'step_up'; sessionId: string; now: EpochMs },
): Promise<{ challenge: string; note: string } | undefined> {
  const { factorChallenges: c } = t
  const which = id === undefined ? undefined : eq(c.id, id)
  const [taken] = await q
    .delete(c)
    .where(and(ofCeremony(t, of), which, gt(c.expiresAt, now)))
    .returning({ challenge: sql<string>`${c.challenge}`, note: c.login })
  return taken
}

export async function deleteExpired(
  { q, t: { factorChallenges: c } }: Db,
  { now, limit }: { now: EpochMs; limit: number },
): Promise<number> {
  const expired = q.select({ id: c.id }).from(c).where(lte(c.expiresAt, now)).limit(limit)
  return (await q.delete(c).where(inArray(c.id, expired)).returning({ id: c.id })).length
}
