import { and, asc, count, desc, eq, getTableColumns, isNotNull, isNull, lt, lte, min, sql } from 'drizzle-orm'
import type { EpochMs } from '../../lib/clock.ts'
import { limitTo } from '../../storage/cast-placeholder.ts'
import { execute, named, queryRows, statements } from '../../storage/statements.ts'
import type { Db } from '../../storage/store.ts'
import type { ListedMail, Mail, MailFilter, NewMail } from './mail.ts'

const prepared = statements(({ q, t: { mails }, dialect }, { select, returning, change }) => {
  const isDue = and(eq(mails.state, 'queued'), lte(mails.dueAt, named('now')))
  const due = q.select({ id: mails.id }).from(mails).where(isDue).orderBy(asc(mails.dueAt)).limit(limitTo('limit'))
  // SKIP LOCKED leaves out the mails that another process is just claiming. Otherwise this process would wait for that
  // process, and then find nothing.
  const lock = dialect === 'postgresql' ? sql` for update skip locked` : sql``
  const claimed = and(eq(mails.id, named('id')), eq(mails.state, 'queued'), eq(mails.attempts, named('attempts')))
  const mail = {
    id: mails.id,
    kind: mails.kind,
    userId: mails.userId,
    recipient: mails.recipient,
    locale: mails.locale,
    details: mails.details,
    state: mails.state,
    attempts: mails.attempts,
    dueAt: mails.dueAt,
    createdAt: mails.createdAt,
    endedAt: mails.endedAt,
    error: mails.error,
    sealed: mails.sealed,
    sealedUntil: mails.sealedUntil,
  }
  return {
    insert: change(
      q.insert(mails).values({
        id: named('id'),
        kind: named('kind'),
        userId: named('userId'),
        recipient: named('recipient'),
        locale: named('locale'),
        details: named('details'),
        state: 'queued',
        attempts: 0,
        dueAt: named('now'),
        createdAt: named('now'),
      }),
    ),
    claim: returning(
      mail,
      q
        .update(mails)
        .set({ attempts: sql`${mails.attempts} + 1`, dueAt: named('until') })
        // Only the subselect checks `isDue`. Here, the condition would make the database read all mails that are due.
        .where(sql`${mails.id} in (${due}${lock})`),
    ),
    sent: change(
      q
        .update(mails)
        .set({ state: 'sent', endedAt: named('now'), details: '{}', sealed: sql`null`, error: sql`null` })
        .where(and(eq(mails.id, named('id')), eq(mails.state, 'queued'))),
    ),
    postpone: change(
      q
        .update(mails)
        .set({ dueAt: named('dueAt'), error: named('error') })
        .where(claimed),
    ),
    giveUp: change(
      q
        .update(mails)
        .set({ state: 'dead', endedAt: named('now'), error: named('error') })
        .where(claimed),
    ),
    drop: change(
      q
        .update(mails)
        .set({ state: 'dropped', endedAt: named('now'), details: '{}' })
        .where(claimed),
    ),
    keepSealed: change(
      q
        .update(mails)
        .set({
          kind: named('kind'),
          userId: named('userId'),
          recipient: named('recipient'),
          locale: named('locale'),
          details: named('details'),
          sealed: named('sealed'),
          sealedUntil: named('sealedUntil'),
        })
        .where(and(claimed, isNull(mails.sealed))),
    ),
    resend: change(
      q
        .update(mails)
        .set({ state: 'queued', attempts: 0, dueAt: named('now'), endedAt: sql`null`, error: sql`null` })
        .where(and(eq(mails.id, named('id')), eq(mails.state, 'dead'))),
    ),
    wipe: change(
      q
        .update(mails)
        .set({ sealed: sql`null` })
        .where(
          sql`${mails.id} in (${q
            .select({ id: mails.id })
            .from(mails)
            .where(and(isNotNull(mails.sealed), lte(mails.sealedUntil, named('now'))))
            .limit(limitTo('limit'))})`,
        ),
    ),
    find: select(mail, (q) => q.from(mails).where(eq(mails.id, named('id')))),
    queue: select({ length: count(), oldest: min(mails.createdAt) }, (q) =>
      q.from(mails).where(eq(mails.state, 'queued')),
    ),
    deleteOfUser: change(q.delete(mails).where(eq(mails.userId, named('userId')))),
    // Mails that somebody asked for have no user before the first attempt to send them, and after they were dropped.
    // Only the address shows whose mails these are.
    deleteOfAddress: change(
      q.delete(mails).where(and(isNull(mails.userId), eq(sql`lower(${mails.recipient})`, named('addressKey')))),
    ),
    deleteEnded: change(
      q.delete(mails).where(
        and(
          // A mail may be resent after the subselect has found it. PostgreSQL checks only this condition again.
          lt(mails.endedAt, named('before')),
          sql`${mails.id} in (${q
            .select({ id: mails.id })
            .from(mails)
            .where(lt(mails.endedAt, named('before')))
            .limit(limitTo('limit'))})`,
        ),
      ),
    ),
  }
})

export const insert = (db: Db, mail: NewMail & { id: string; now: EpochMs }): Promise<unknown> =>
  execute(db, prepared(db).insert, { ...mail, details: JSON.stringify(mail.values) })

/**
 * Claims up to `limit` mails that are due, and counts one more attempt of each. Of several processes, only one gets a
 * mail. A claimed mail is due again at `until`, in case the process crashes before the attempt ends.
 */
export const claim = (db: Db, claim: { now: EpochMs; until: EpochMs; limit: number }): Promise<Mail[]> =>
  queryRows(db, prepared(db).claim, claim) as Promise<Mail[]>

/**
 * One attempt to send a mail. `attempts` is the count when the attempt began: `postpone` and `giveUp` do nothing if
 * another attempt has begun since.
 */
type Attempt = Pick<Mail, 'id' | 'attempts'>

/** Records that the mail server accepted a queued mail, even if another attempt has begun since. */
export const markSent = (db: Db, { id }: Attempt, now: EpochMs): Promise<unknown> =>
  execute(db, prepared(db).sent, { id, now })

export const postpone = (
  db: Db,
  { id, attempts }: Attempt,
  next: { dueAt: EpochMs; error: string },
): Promise<unknown> => execute(db, prepared(db).postpone, { id, attempts, ...next })

export const giveUp = (db: Db, { id, attempts }: Attempt, end: { now: EpochMs; error: string }): Promise<unknown> =>
  execute(db, prepared(db).giveUp, { id, attempts, ...end })

/** Drops a mail, because nobody is to get it. @returns false when a later attempt has begun or the mail has ended */
export const drop = async (db: Db, { id, attempts }: Attempt, now: EpochMs): Promise<boolean> =>
  (await execute(db, prepared(db).drop, { id, attempts, now })) > 0

/**
 * Stores what an attempt found out about a mail: its kind, its recipient and its sealed link and code.
 * @returns false when a later attempt has begun, the mail has ended, or the mail already has a sealed link and code
 */
export const keepSealed = async (
  db: Db,
  { id, attempts, kind, userId, recipient, locale, details, sealed, sealedUntil }: Mail,
): Promise<boolean> =>
  (await execute(db, prepared(db).keepSealed, {
    id,
    attempts,
    kind,
    userId,
    recipient,
    locale,
    details,
    sealed,
    sealedUntil,
  })) > 0

/** Deletes the sealed secrets of up to `limit` mails whose link has expired. @returns how many */
export const wipe = (db: Db, now: EpochMs, limit: number): Promise<number> =>
  execute(db, prepared(db).wipe, { now, limit })

/** Queues a dead mail again; its attempts count from 0. @returns false when no dead mail has this id */
export const resend = async (db: Db, id: string, now: EpochMs): Promise<boolean> =>
  (await execute(db, prepared(db).resend, { id, now })) > 0

export const find = async (db: Db, id: string): Promise<Mail | undefined> =>
  (await queryRows(db, prepared(db).find, { id }))[0] as Mail | undefined

/** Implements `Mails.list`. The sealed secrets are not read. */
export function list({ q, t: { mails } }: Db, { state, before, limit }: MailFilter): Promise<ListedMail[]> {
  const { sealed: _sealed, sealedUntil: _until, details: _details, ...columns } = getTableColumns(mails)
  const isOlder = before && sql`(${mails.createdAt}, ${mails.id}) < (${before.createdAt}, ${before.id})`
  return q
    .select(columns)
    .from(mails)
    .where(and(state === undefined ? undefined : eq(mails.state, state), isOlder))
    .orderBy(desc(mails.createdAt), desc(mails.id))
    .limit(limit) as Promise<ListedMail[]>
}

/** How many mails are queued, and when the oldest of these mails was created. */
export async function queueOf(db: Db): Promise<{ length: number; oldest: EpochMs | null }> {
  const [row] = await queryRows(db, prepared(db).queue)
  return row ?? { length: 0, oldest: null }
}

/** The mails of a user, without sealed secrets. */
export function listOf({ q, t: { mails } }: Db, userId: number) {
  const { sealed: _sealed, userId: _userId, ...columns } = getTableColumns(mails)
  return q.select(columns).from(mails).where(eq(mails.userId, userId)).orderBy(asc(mails.createdAt))
}

export async function deleteOfUser(db: Db, by: { userId: number; addressKey: string }): Promise<void> {
  await execute(db, prepared(db).deleteOfUser, by)
  await execute(db, prepared(db).deleteOfAddress, by)
}

/** Deletes up to `limit` mails that were sent, given up or dropped before `before`. @returns how many were deleted */
export const deleteEnded = (db: Db, before: EpochMs, limit: number): Promise<number> =>
  execute(db, prepared(db).deleteEnded, { before, limit })
