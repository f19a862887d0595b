import { DAY, type EpochMs, MINUTE, rfc3339, SECOND } from '../../lib/clock.ts'
import type { Db } from '../../storage/store.ts'
import type { SignatureAlgorithm } from './jwk.ts'

/**
 * `next`: published, signs later. `active`: signs. `retired`: published until the last token that it signed expires.
 * `revoked`: its signatures are refused.
 */
export type KeyState = 'next' | 'active' | 'retired' | 'revoked'

type StoredKey = Db['t']['signingKeys']['$inferSelect']

/** A signing key as it is stored; `storage/tables/signing-keys.ts` says what each column means. */
export interface SigningKeyRow extends StoredKey {
  alg: SignatureAlgorithm
  state: KeyState
}

/** How long clients may cache the JWKS, in seconds. The library jose caches it this long and ignores the header. */
export const JWKS_MAX_AGE_SECONDS = 600

/** How often a process reads the keys again: it follows a change within 30 s. */
export const KEY_POLL_INTERVAL = 10 * SECOND

/** How long a key must have been in the JWKS before it signs: until every cached copy without it has expired. */
const PUBLISH_AHEAD = JWKS_MAX_AGE_SECONDS * SECOND + MINUTE

/** Allows for replicas that keep signing until their next poll, and for clocks that differ. */
const TOKEN_SKEW = 2 * MINUTE

/** How long a key stays in the list after it expired or was revoked. */
export const KEEP_EXPIRED = 30 * DAY

/** When every cached JWKS contains the key, which is published as soon as it is made. */
export const readyAt = ({ createdAt }: SigningKeyRow): EpochMs => createdAt + PUBLISH_AHEAD

/** When the last token signed by a key retired at `now` expires. */
export const lastTokenExpires = ({ longestToken }: SigningKeyRow, now: EpochMs): EpochMs =>
  now + longestToken + TOKEN_SKEW

/** Whether signatures of the key are accepted at `now`. */
export const isAccepted = ({ state, expiresAt }: SigningKeyRow, now: EpochMs): boolean =>
  state === 'active' || state === 'next' || (state === 'retired' && expiresAt !== null && now < expiresAt)

/** When the key is due for rotation by its age; undefined for never. */
export const rotationDue = ({ createdAt, activatedAt, alg }: SigningKeyRow, rotationDays: number) =>
  rotationDays === 0 || alg === 'HS256' ? undefined : (activatedAt ?? createdAt) + rotationDays * DAY

/** The state of a key and its times, as a sentence. */
export function describeKey(row: SigningKeyRow, { now, rotationDays }: { now: EpochMs; rotationDays: number }): string {
  const at = (time: EpochMs | null | undefined) => (time == null ? 'never' : rfc3339(time))
  switch (row.state) {
    case 'next':
      return `published ${at(row.createdAt)}, may sign from ${at(readyAt(row))}`
    case 'active':
      return row.alg === 'HS256'
        ? `signing since ${at(row.activatedAt)}; it is JWT_SECRET`
        : `signing since ${at(row.activatedAt ?? row.createdAt)}, due to rotate ${at(rotationDue(row, rotationDays))}`
    case 'retired':
      return `retired ${at(row.retiredAt)}, ${isAccepted(row, now) ? 'accepted until' : 'expired'} ${at(row.expiresAt)}`
    case 'revoked':
      return `revoked ${at(row.revokedAt)}`
  }
}
