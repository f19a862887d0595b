import { and, count, eq, isNotNull, isNull, sql } from 'drizzle-orm'
import { named, queryRows, statements } from '../../storage/statements.ts'
import type { Db } from '../../storage/store.ts'

const prepared = statements(({ q, t }, { select }) => {
  const { users, totpFactors, passkeys, recoveryCodes, factorAccounts } = t
  const ofUser = { totp: eq(totpFactors.userId, users.id), passkey: eq(passkeys.userId, users.id) }
  const apps = q
    .select({ n: count() })
    .from(totpFactors)
    .where(and(ofUser.totp, isNotNull(totpFactors.confirmedAt)))
  const keys = q
    .select({ n: count() })
    .from(passkeys)
    .where(and(ofUser.passkey, eq(passkeys.rpId, named('rpId'))))
  const codes = q
    .select({ n: count() })
    .from(recoveryCodes)
    .where(and(eq(recoveryCodes.userId, users.id), isNull(recoveryCodes.usedAt)))
  const lockedAt = q
    .select({ at: factorAccounts.lockedAt })
    .from(factorAccounts)
    .where(eq(factorAccounts.userId, users.id))
  return {
    find: select(
      {
        apps: sql`(${apps})`.mapWith(Number),
        keys: sql`(${keys})`.mapWith(Number),
        codes: sql`(${codes})`.mapWith(Number),
        lockedAt: sql`(${lockedAt})`.mapWith((at): number | null => Number(at)),
      },
      (from) => from.from(users).where(eq(users.id, named('userId'))),
    ),
  }
})

export interface Found {
  hasTotp: boolean
  /** True for a passkey or security key of this RP ID. */
  hasPasskey: boolean
  /** True when codes of authenticator apps are locked. */
  isLocked: boolean
  /** How many recovery codes are not used. */
  codesLeft: number
}

export async function find(db: Db, by: { userId: number; rpId: string }): Promise<Found> {
  const [row] = await queryRows(db, prepared(db).find, by)
  if (!row) return { hasTotp: false, hasPasskey: false, isLocked: false, codesLeft: 0 }
  return { hasTotp: row.apps > 0, hasPasskey: row.keys > 0, isLocked: row.lockedAt !== null, codesLeft: row.codes }
}
