import { and, asc, desc, eq, gt, isNull, lte, ne } from 'drizzle-orm'
import type { EpochMs } from '../../lib/clock.ts'
import type { Db } from '../../storage/store.ts'

export type DataKeyRow = Db['t']['dataKeys']['$inferSelect']
export type ProcessRow = Db['t']['processes']['$inferSelect']

/** Every data key, the newest first. */
export const allKeys = ({ q, t: { dataKeys } }: Db): Promise<DataKeyRow[]> =>
  q.select().from(dataKeys).orderBy(desc(dataKeys.createdAt), asc(dataKeys.id))

/** Adds a key. @returns false, and writes nothing, when the purpose already has a current key */
export async function insertKey({ q, t: { dataKeys } }: Db, row: DataKeyRow): Promise<boolean> {
  const added = await q.insert(dataKeys).values(row).onConflictDoNothing().returning({ id: dataKeys.id })
  return added.length > 0
}

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

/** The seals of private signing keys. */
export async function signingKeySeals({ q, t: { signingKeys } }: Db): Promise<string[]> {
  const rows = await q
    .select({ seal: signingKeys.sealedPrivateKey })
    .from(signingKeys)
    .where(ne(signingKeys.sealedPrivateKey, ''))
  return rows.map(({ seal }) => seal)
}

/** The seals of the secrets of the providers of social login. */
export async function providerSeals({ q, t: { providers } }: Db): Promise<string[]> {
  const rows = await q.select({ seal: providers.sealedSecret }).from(providers).where(ne(providers.sealedSecret, ''))
  return rows.map(({ seal }) => seal)
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
