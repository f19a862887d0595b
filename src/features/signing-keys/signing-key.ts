import { DAY, type EpochMs, MINUTE, rfc3339, SECOND } from '../../lib/clock.ts'
import type { SignatureAlgorithm } from './jwk.ts'

/**
 * `next` is published and waits, `active` signs, `retired` is published until the last token it signed is out,
 * `revoked` counts no more from the moment on.
 */
export type KeyState = 'next' | 'active' | 'retired' | 'revoked'

/** A signing key as it is stored; `storage/tables/signing-keys.ts` says what each column means. */
export interface SigningKeyRow {
  kid: string
  alg: SignatureAlgorithm
  publicJwk: string
  sealedPrivateKey: string
  state: KeyState
  activeSlot: string | null
  nextSlot: string | null
  createdAt: EpochMs
  activatedAt: EpochMs | null
  retiredAt: EpochMs | null
  expiresAt: EpochMs | null
  revokedAt: EpochMs | null
  longestToken: number
}

/** How long others may keep a copy of the JWKS, in seconds. jose keeps one as long whatever the header says. */
export const JWKS_MAX_AGE_SECONDS = 600

/** How often a process reads the keys again; others are to follow a change within 30 s. */
export const KEY_POLL_INTERVAL = 10 * SECOND

/** How long a key must have been in the JWKS before it signs: until every copy without it is out, replicas included. */
const PUBLISH_AHEAD = JWKS_MAX_AGE_SECONDS * SECOND + MINUTE

/** For replicas that sign on until their next look, and for clocks that differ. */
const TOKEN_SKEW = 2 * MINUTE

/** How long a key that counts no more stays in the list for whoever asks what became of it. */
export const KEEP_GONE = 30 * DAY

/** When a key that was published at its making may sign without surprising anyone. */
export const readyAt = ({ createdAt }: Pick<SigningKeyRow, 'createdAt'>): EpochMs => createdAt + PUBLISH_AHEAD

/** When the last token is out of a key that signs no more from `now` on. */
export const lastTokenOut = ({ longestToken }: Pick<SigningKeyRow, 'longestToken'>, now: EpochMs): EpochMs =>
  now + longestToken + TOKEN_SKEW

/** Whether signatures of the key are taken at `now`. */
export const isAccepted = ({ state, expiresAt }: Pick<SigningKeyRow, 'state' | 'expiresAt'>, now: EpochMs): boolean =>
  state === 'active' || state === 'next' || (state === 'retired' && expiresAt !== null && now < expiresAt)

/** The lifetime of the tokens that this configuration signs, in milliseconds. */
export const tokenLifetime = (config: { ACCESS_TOKEN_EXPIRE_MINUTES: number }): number =>
  config.ACCESS_TOKEN_EXPIRE_MINUTES * MINUTE

/** When age alone makes the key's successor take over; undefined for never. */
export const rotationDue = (
  { createdAt, activatedAt, alg }: Pick<SigningKeyRow, 'createdAt' | 'activatedAt' | 'alg'>,
  rotationDays: number,
): EpochMs | undefined =>
  rotationDays === 0 || alg === 'HS256' ? undefined : (activatedAt ?? createdAt) + rotationDays * DAY

/** What a person is told of a key. */
export function describeKey(row: SigningKeyRow, { now, rotationDays }: { now: EpochMs; rotationDays: number }): string {
  const at = (time: EpochMs | null | undefined) => (time == null ? 'never' : rfc3339(time))
  switch (row.state) {
    case 'next':
      return `published ${at(row.createdAt)}, may sign from ${at(readyAt(row))}`
    case 'active':
      return row.alg === 'HS256'
        ? `signs since ${at(row.activatedAt)}; it is JWT_SECRET`
        : `signs since ${at(row.activatedAt ?? row.createdAt)}, due to rotate ${at(rotationDue(row, rotationDays))}`
    case 'retired':
      return `signed until ${at(row.retiredAt)}, ${isAccepted(row, now) ? 'verifies until' : 'out since'} ${at(row.expiresAt)}`
    case 'revoked':
      return `revoked ${at(row.revokedAt)}`
  }
}
