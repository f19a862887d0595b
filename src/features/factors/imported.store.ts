import { eq } from 'drizzle-orm'
import { castPlaceholder } from '../../storage/cast-placeholder.ts'
import { readRows, statements } from '../../storage/statements.ts'
import type { Db } from '../../storage/store.ts'

/** The most users whose factors are added at a time. */
export const PART = 250

export type PasskeyRow = Db['t']['passkeys']['$inferInsert'] & { lastUsedAt: number | null }
type AppRow = Omit<Db['t']['totpFactors']['$inferInsert'], 'id' | 'secret' | 'lastUsedAt'>

const prepared = statements(({ t: { users } }, { select }) => ({
  idOf: select({ id: users.id, email: users.emailKey }, (q) =>
    q.from(users).where(eq(users.emailKey, castPlaceholder('email', 'text'))),
  ),
}))

/** The ids of users by `email_key`. */
export async function idsOf(db: Db, emails: readonly string[]): Promise<Map<string, number>> {
  const found = await Promise.all(emails.map((email) => readRows(db, prepared(db).idOf, { email })))
  return new Map(found.flat().map(({ id, email }) => [email, id]))
}

/**
 * Adds authenticator apps. A seal needs the id of its row, so each row gets its seal after its id. Until then the seal is
 * the place of the row, because a database may return rows in another order.
 * @returns how many
 */
export async function insertApps(
  { q, t: { totpFactors } }: Db,
  rows: readonly AppRow[],
  sealOf: (id: number, row: number) => string,
): Promise<number> {
  if (rows.length === 0) return 0
  const added = await q
    .insert(totpFactors)
    .values(rows.map((row, at) => ({ ...row, secret: String(at) })))
    .returning({ id: totpFactors.id, at: totpFactors.secret })
  for (const { id, at } of added)
    await q
      .update(totpFactors)
      .set({ secret: sealOf(id, Number(at)) })
      .where(eq(totpFactors.id, id))
  return added.length
}

/** Adds passkeys and security keys, but none whose credential is registered already. @returns how many */
export async function insertPasskeys({ q, t: { passkeys } }: Db, rows: PasskeyRow[]): Promise<number> {
  if (rows.length === 0) return 0
  return (await q.insert(passkeys).values(rows).onConflictDoNothing().returning({ id: passkeys.id })).length
}

/** Stores user handles, but none that another user has. */
export async function insertHandles(
  { q, t: { factorAccounts } }: Db,
  rows: { userId: number; webauthnHandle: string }[],
): Promise<void> {
  if (rows.length > 0) await q.insert(factorAccounts).values(rows).onConflictDoNothing()
}
