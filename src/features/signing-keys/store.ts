import { and, asc, eq, getTableColumns, isNotNull, lt, ne, or } from 'drizzle-orm'
import type { EpochMs } from '../../lib/clock.ts'
import { queryRows, statements } from '../../storage/statements.ts'
import type { Db } from '../../storage/store.ts'
import type { KeyState, SigningKeyRow, Slot } from './signing-key.ts'

const prepared = statements(({ t: { signingKeys: keys } }, { select }) => ({
  all: select(getTableColumns(keys), (q) => q.from(keys).orderBy(asc(keys.createdAt), asc(keys.kid))),
}))

/** Every key, oldest first. */
export const all = async (db: Db): Promise<SigningKeyRow[]> =>
  (await queryRows(db, prepared(db).all)) as SigningKeyRow[]

/** Adds a key. @returns false, and writes nothing, when another row has the same slot or `kid` */
export async function insert({ q, t: { signingKeys } }: Db, row: SigningKeyRow): Promise<boolean> {
  const added = await q.insert(signingKeys).values(row).onConflictDoNothing().returning({ kid: signingKeys.kid })
  return added.length > 0
}

/**
 * Activates a key.
 * @returns false when the key is no longer in state `from`
 * @throws a unique violation of `signing_keys.active_slot` while another key of the slot is active
 */
export const activate = (db: Db, { kid, from, slot, now }: { kid: string; from: KeyState; slot: Slot; now: EpochMs }) =>
  move(db, kid, from, { state: 'active', activeSlot: slot, nextSlot: null, activatedAt: now, expiresAt: null })

/** The columns that are cleared when a key is retired or revoked: its slots and its private key. */
const emptied = { activeSlot: null, nextSlot: null, sealedPrivateKey: '' }

/** Retires a key and deletes its private part. @returns false when the key is no longer in state `from` */
export const retire = (db: Db, key: { kid: string; from: KeyState; now: EpochMs; expiresAt: EpochMs }) =>
  move(db, key.kid, key.from, { ...emptied, state: 'retired', retiredAt: key.now, expiresAt: key.expiresAt })

/** Revokes a key and deletes its private part. @returns false when the key is no longer in state `from` */
export const revoke = (db: Db, { kid, from, now }: { kid: string; from: KeyState; now: EpochMs }) =>
  move(db, kid, from, { ...emptied, state: 'revoked', revokedAt: now })

async function move(
  { q, t: { signingKeys: keys } }: Db,
  kid: string,
  from: KeyState,
  to: Partial<SigningKeyRow>,
): Promise<boolean> {
  const moved = await q
    .update(keys)
    .set(to)
    .where(and(eq(keys.kid, kid), eq(keys.state, from)))
    .returning({ kid: keys.kid })
  return moved.length > 0
}

/** Replaces the sealed private key `from` with `to`. Does nothing when the stored key is no longer `from`. */
export const replaceSeal = (
  { q, t: { signingKeys: keys } }: Db,
  { kid, from, to }: { kid: string; from: string; to: string },
) =>
  q
    .update(keys)
    .set({ sealedPrivateKey: to })
    .where(and(eq(keys.kid, kid), eq(keys.sealedPrivateKey, from)))

/** Raises `longestToken` of a key that signs or will sign to `ms` milliseconds. A larger value stays. */
export const raiseLongestToken = ({ q, t: { signingKeys: keys } }: Db, { kid, ms }: { kid: string; ms: number }) =>
  q
    .update(keys)
    .set({ longestToken: ms })
    .where(and(eq(keys.kid, kid), lt(keys.longestToken, ms)))

/**
 * Deletes keys that expired or were revoked before `before`. A revoked HS256 key is never deleted: Keyward must refuse
 * this JWT_SECRET forever.
 */
export async function deleteExpired({ q, t: { signingKeys: keys } }: Db, before: EpochMs): Promise<number> {
  const deleted = await q
    .delete(keys)
    .where(
      or(
        and(eq(keys.state, 'retired'), isNotNull(keys.expiresAt), lt(keys.expiresAt, before)),
        and(eq(keys.state, 'revoked'), lt(keys.revokedAt, before), ne(keys.alg, 'HS256')),
      ),
    )
    .returning({ kid: keys.kid })
  return deleted.length
}
