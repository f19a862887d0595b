import { and, asc, between, isNotNull } from 'drizzle-orm'
import type { EpochMs } from '../../lib/clock.ts'
import type { Db } from '../../storage/store.ts'

/** A factor as a list of users shows it. */
export interface ListedFactor {
  type: 'totp' | 'passkey' | 'security_key'
  name: string
  createdAt: EpochMs
  lastUsedAt: EpochMs | null
}

/**
 * Reads the factors of all users whose ids are between two, by the user's id: confirmed authenticator apps, passkeys and
 * security keys, the oldest of a kind first.
 */
export async function factorsBetween(
  { q, t: { totpFactors, passkeys } }: Db,
  { first, last }: { first: number; last: number },
): Promise<Map<number, ListedFactor[]>> {
  const columnsOf = ({ userId, name, createdAt, lastUsedAt }: typeof totpFactors | typeof passkeys) =>
    ({ userId, name, createdAt, lastUsedAt }) as Pick<
      typeof totpFactors,
      'userId' | 'name' | 'createdAt' | 'lastUsedAt'
    >
  const apps = await q
    .select(columnsOf(totpFactors))
    .from(totpFactors)
    .where(and(between(totpFactors.userId, first, last), isNotNull(totpFactors.confirmedAt)))
    .orderBy(asc(totpFactors.id))
  const keys = await q
    .select({ ...columnsOf(passkeys), kind: passkeys.kind })
    .from(passkeys)
    .where(between(passkeys.userId, first, last))
    .orderBy(asc(passkeys.id))
  const factors = [
    ...apps.map((app) => ({ ...app, type: 'totp' as const })),
    ...keys.map(({ kind, ...key }) => ({
      ...key,
      type: kind === 'passkey' ? ('passkey' as const) : ('security_key' as const),
    })),
  ]
  const listed = new Map<number, ListedFactor[]>()
  for (const { userId, ...factor } of factors) {
    const own = listed.get(userId) ?? []
    own.push(factor)
    listed.set(userId, own)
  }
  return listed
}
