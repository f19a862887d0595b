import { DAY, type EpochMs, MINUTE, SECOND } from '../../lib/clock.ts'
import type { Db } from '../../storage/store.ts'
import { type PublicKeyAlgorithm, publicKeyAlgorithms, type SignatureAlgorithm } from './jwk.ts'
import type { KeySummary } from './signing-keys.ts'

/**
 * - `next`: the key is published in the JWKS and will sign later.
 * - `active`: the key signs.
 * - `retired`: the key no longer signs, and is published until the last token of the key expires.
 * - `revoked`: signatures of the key are refused.
 */
export type KeyState = 'next' | 'active' | 'retired' | 'revoked'

/**
 * What a key signs: access tokens (`active`), or the ID tokens and logout tokens of one algorithm. Each slot has one
 * active key and one next key.
 */
export type Slot = 'active' | IdTokenSlot
export type IdTokenSlot = `id_token:${PublicKeyAlgorithm}`

export const idTokenSlot = (alg: PublicKeyAlgorithm): IdTokenSlot => `id_token:${alg}`

export const algOf = (slot: IdTokenSlot): PublicKeyAlgorithm => slot.slice('id_token:'.length) as PublicKeyAlgorithm

type StoredKey = Db['t']['signingKeys']['$inferSelect']

/** A signing key as it is stored; `storage/tables/signing-keys.ts` says what each column means. */
export interface SigningKeyRow extends StoredKey {
  alg: SignatureAlgorithm
  state: KeyState
}

/** The slot of an active or next key; undefined for another key, which signs no more. */
export function slotOf({ activeSlot, nextSlot }: Pick<SigningKeyRow, 'activeSlot' | 'nextSlot'>): Slot | undefined {
  const slot = activeSlot ?? nextSlot
  if (slot === null) return undefined
  return slot.startsWith('id_token:') ? (slot as IdTokenSlot) : 'active'
}

/** The active key of a slot. */
export const activeOf = (rows: readonly SigningKeyRow[], slot: Slot = 'active'): SigningKeyRow | undefined =>
  rows.find(({ activeSlot }) => activeSlot === slot)

/** The value of `nextSlot` of the next key with this algorithm. */
export const nextSlotOf = (slot: Slot, alg: SignatureAlgorithm): string => (slot === 'active' ? alg : slot)

/** The next key of a slot. Only the slot of access tokens may have next keys of several algorithms. */
export const nextOf = (
  rows: readonly SigningKeyRow[],
  slot: Slot,
  alg: SignatureAlgorithm,
): SigningKeyRow | undefined => rows.find(({ nextSlot }) => nextSlot === nextSlotOf(slot, alg))

/** The slots of ID tokens that have a key. */
export const idTokenSlots = (rows: readonly SigningKeyRow[]): IdTokenSlot[] =>
  publicKeyAlgorithms.map(idTokenSlot).filter((slot) => rows.some((row) => slotOf(row) === slot))

/** How long clients may cache the JWKS, in seconds. The library jose ignores Cache-Control and caches for 600 s too. */
export const JWKS_MAX_AGE_SECONDS = 600

/** Milliseconds between two reads of the stored keys. If two reads fail, a change still takes effect within 30 s. */
export const KEY_POLL_INTERVAL = 10 * SECOND

/**
 * How long a key is in the JWKS before the key signs. After this time, all cached copies without the key have expired.
 * The extra minute is for other processes, which publish a new key up to 30 s after its creation.
 */
const PUBLISH_AHEAD = JWKS_MAX_AGE_SECONDS * SECOND + MINUTE

/** Extra time before a retired key expires. Replicas sign with the key until their next poll, and clocks differ. */
const TOKEN_SKEW = 2 * MINUTE

/** How long the row of a key is stored after the key expired or was revoked. A revoked JWT_SECRET is stored forever. */
export const KEEP_EXPIRED = 30 * DAY

/** The time from which every cached JWKS contains the key. A key is published when it is created. */
export const readyAt = ({ createdAt }: SigningKeyRow): EpochMs => createdAt + PUBLISH_AHEAD

/** The time when the last token of a key expires, if the key is retired at `now`. */
export const lastTokenExpires = ({ longestToken }: SigningKeyRow, now: EpochMs): EpochMs =>
  now + longestToken + TOKEN_SKEW

/** Returns true when signatures of the key are accepted at `now`. */
export const isAccepted = ({ state, expiresAt }: SigningKeyRow, now: EpochMs): boolean =>
  state === 'active' || state === 'next' || (state === 'retired' && expiresAt !== null && now < expiresAt)

/** The time when the key is old enough to be rotated; undefined for HS256 and when `rotationDays` is 0. */
export const rotationDue = ({ createdAt, activatedAt, alg }: SigningKeyRow, rotationDays: number) =>
  rotationDays === 0 || alg === 'HS256' ? undefined : (activatedAt ?? createdAt) + rotationDays * DAY

/** Picks the public facts of a key. The row also has the private key, sealed. */
export const summaryOf = (row: SigningKeyRow, rotationDays: number): KeySummary => ({
  kid: row.kid,
  alg: row.alg,
  state: row.state,
  signs: signs[slotOf(row)?.split(':')[0] ?? ''] ?? null,
  createdAt: row.createdAt,
  readyAt: row.state === 'next' ? readyAt(row) : null,
  activatedAt: row.activatedAt,
  rotatesAt: (row.state === 'active' && rotationDue(row, rotationDays)) || null,
  retiredAt: row.retiredAt,
  expiresAt: row.expiresAt,
  revokedAt: row.revokedAt,
})

const signs: Readonly<Record<string, KeySummary['signs']>> = { active: 'access_tokens', id_token: 'id_tokens' }
