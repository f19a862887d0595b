import { and, asc, eq, inArray, isNotNull, lt, ne, or } from 'drizzle-orm'
import type { EpochMs } from '../../lib/clock.ts'
import { type Db, statements } from '../../storage/store.ts'
import type { KeyState, SigningKeyRow } from './signing-key.ts'

const prepared = statements(({ q, t: { signingKeys: keys } }) => ({
  all: q.select().from(keys).orderBy(asc(keys.createdAt), asc(keys.kid)).prepare(),
  live: q
    .select()
    .from(keys)
    .where(inArray(keys.state, ['active', 'next', 'retired']))
    .orderBy(asc(keys.createdAt), asc(keys.kid))
    .prepare(),
}))

export const all = async (db: Db): Promise<SigningKeyRow[]> => (await prepared(db).all.execute()) as SigningKeyRow[]

/** Every key whose signatures may still be taken. */
export const live = async (db: Db): Promise<SigningKeyRow[]> => (await prepared(db).live.execute()) as SigningKeyRow[]

/** Adds a key unless its slot is taken; answers whether it did. */
export async function insert({ q, t: { signingKeys } }: Db, row: SigningKeyRow): Promise<boolean> {
  const added = await q.insert(signingKeys).values(row).onConflictDoNothing().returning({ kid: signingKeys.kid })
  return added.length > 0
}

/** Lets a key sign that is still in the state `from`. Violates `signing_keys.active_slot` while another one does. */
export const activate = (db: Db, { kid, from, now }: { kid: string; from: KeyState; now: EpochMs }) =>
  move(db, kid, from, { state: 'active', activeSlot: 'active', nextSlot: null, activatedAt: now, expiresAt: null })

/** Ends the signing of a key that is still in the state `from` and forgets its private part. */
export const retire = (db: Db, key: { kid: string; from: KeyState; now: EpochMs; expiresAt: EpochMs }) =>
  move(db, key.kid, key.from, {
    state: 'retired',
    activeSlot: null,
    nextSlot: null,
    sealedPrivateKey: '',
    retiredAt: key.now,
    expiresAt: key.expiresAt,
  })

/** Ends all use of a key that is still in the state `from` and forgets its private part. */
export const revoke = (db: Db, { kid, from, now }: { kid: string; from: KeyState; now: EpochMs }) =>
  move(db, kid, from, {
    state: 'revoked',
    activeSlot: null,
    nextSlot: null,
    sealedPrivateKey: '',
    revokedAt: now,
  })

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

/** Replaces a seal that is still the one that was opened. */
export const replaceSeal = (
  { q, t: { signingKeys: keys } }: Db,
  { kid, from, to }: { kid: string; from: string; to: string },
) =>
  q
    .update(keys)
    .set({ sealedPrivateKey: to })
    .where(and(eq(keys.kid, kid), eq(keys.sealedPrivateKey, from)))

/** Notes that keys may sign tokens that live this long. */
export const raiseLongestToken = ({ q, t: { signingKeys: keys } }: Db, ms: number) =>
  q
    .update(keys)
    .set({ longestToken: ms })
    .where(and(inArray(keys.state, ['active', 'next']), lt(keys.longestToken, ms)))

/** Deletes what was out or revoked before `before`. A revoked HS256 secret stays: its row is what keeps it out. */
export async function deleteGone({ q, t: { signingKeys: keys } }: Db, before: EpochMs): Promise<number> {
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
