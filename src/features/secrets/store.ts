import { and, asc, count, desc, eq, getTableColumns, gt, isNull, lte, ne, sql } from 'drizzle-orm'
import type { EpochMs } from '../../lib/clock.ts'
import { SEAL_PREFIX } from '../../lib/seal.ts'
import { named, queryRows, statements } from '../../storage/statements.ts'
import type { Db } from '../../storage/store.ts'

export type DataKeyRow = Db['t']['dataKeys']['$inferSelect']
export type ProcessRow = Db['t']['processes']['$inferSelect']

const prepared = statements(({ q, t: { dataKeys } }, { select, returning }) => ({
  all: select(getTableColumns(dataKeys), (from) =>
    from.from(dataKeys).orderBy(desc(dataKeys.createdAt), asc(dataKeys.id)),
  ),
  insert: returning(
    { id: dataKeys.id },
    q
      .insert(dataKeys)
      .values({
        id: named('id'),
        purpose: named('purpose'),
        currentSlot: named('currentSlot'),
        sealedKey: named('sealedKey'),
        createdAt: named('createdAt'),
      })
      .onConflictDoNothing(),
  ),
}))

/** Every data key, the newest first. */
export const allKeys = (db: Db): Promise<DataKeyRow[]> => queryRows(db, prepared(db).all)

/** Adds a key. @returns false, and writes nothing, when the purpose already has a current key */
export const insertKey = async (db: Db, row: DataKeyRow): Promise<boolean> =>
  (await queryRows(db, prepared(db).insert, { ...row })).length > 0

/** Overwrites the row of the current key of a purpose with another key, so that the old key is gone. */
export const replaceCurrent = (
  { q, t: { dataKeys } }: Db,
  { id, purpose, sealedKey, createdAt }: Omit<DataKeyRow, 'currentSlot'>,
): Promise<unknown> => q.update(dataKeys).set({ id, sealedKey, createdAt }).where(eq(dataKeys.currentSlot, purpose))

/** Deletes the former keys of a purpose. */
export const deleteFormer = ({ q, t: { dataKeys } }: Db, purpose: string): Promise<unknown> =>
  q.delete(dataKeys).where(and(eq(dataKeys.purpose, purpose), isNull(dataKeys.currentSlot)))

/** Replaces the seal `from` of a data key by `to`. Does nothing when another process has replaced `from` before. */
export const replaceSeal = (
  { q, t: { dataKeys } }: Db,
  { id, from, to }: { id: string; from: string; to: string },
): Promise<unknown> =>
  q
    .update(dataKeys)
    .set({ sealedKey: to })
    .where(and(eq(dataKeys.id, id), eq(dataKeys.sealedKey, from)))

/**
 * The seals that are not of data keys, by their beginnings (`sealPrefix`): of private signing keys, of secrets of
 * providers, and of authenticator apps. There may be very many, so the database counts them.
 */
export async function countOtherSeals({
  q,
  t: { signingKeys, providers, totpFactors },
}: Db): Promise<{ prefix: string; seals: number }[]> {
  const columns = [
    { table: signingKeys, seal: signingKeys.sealedPrivateKey },
    { table: providers, seal: providers.sealedSecret },
    { table: totpFactors, seal: totpFactors.secret },
  ]
  const counted = []
  for (const { table, seal } of columns) {
    const prefix = sql<string>`substr(${seal}, 1, ${sql.raw(String(SEAL_PREFIX))})`
    const rows = await q.select({ prefix, seals: count() }).from(table).where(ne(seal, '')).groupBy(prefix)
    counted.push(...rows.map((row) => ({ prefix: row.prefix, seals: Number(row.seals) })))
  }
  return counted
}

/** Returns true when a server has run on this database: a server makes signing keys at its first start. */
export async function hasSigningKeys({ q, t: { signingKeys } }: Db): Promise<boolean> {
  const rows = await q.select({ kid: signingKeys.kid }).from(signingKeys).limit(1)
  return rows.length > 0
}

/** Adds the row of a process. When the row already exists, this only updates `expires_at`. */
export async function upsertProcess({ q, t: { processes } }: Db, row: ProcessRow): Promise<void> {
  const { expiresAt } = row
  await q.insert(processes).values(row).onConflictDoUpdate({ target: processes.id, set: { expiresAt } })
}

export const deleteProcess = ({ q, t: { processes } }: Db, id: string): Promise<unknown> =>
  q.delete(processes).where(eq(processes.id, id))

export const deleteEndedProcesses = ({ q, t: { processes } }: Db, now: EpochMs): Promise<unknown> =>
  q.delete(processes).where(lte(processes.expiresAt, now))

export const runningProcesses = ({ q, t: { processes } }: Db, now: EpochMs): Promise<ProcessRow[]> =>
  q.select().from(processes).where(gt(processes.expiresAt, now)).orderBy(asc(processes.startedAt))
