import { type EpochMs, MINUTE, SECOND } from '../../lib/clock.ts'
import { toBase64Url } from '../../lib/encoding.ts'
import { hmacSha256 } from '../../lib/hash.ts'
import { isRandomId, randomId } from '../../lib/random.ts'
import { userKey } from '../limits/limits.ts'
import * as store from './challenges.store.ts'
import type { FactorsNeeds } from './factors.ts'

/**
 * `login`: a login waits for the second factor. `enroll`: a login waits until the user has a second factor. `register`
 * and `step_up`: a ceremony of WebAuthn in a session. A challenge of one purpose is refused for every other.
 */
export type ChallengePurpose = 'login' | 'enroll' | 'register' | 'step_up'

export interface StoredChallenge {
  id: string
  userId: number
  /** The user's session epoch when the first factor was checked. */
  epoch: number
  /** The authentication methods that were shown so far. */
  amr: readonly string[]
  /** What the feature that began the challenge keeps in it. */
  login: string
  expiresAt: EpochMs
}

export interface NewChallenge {
  purpose: 'login' | 'enroll'
  userId: number
  epoch: number
  amr: readonly string[]
  login: string
  ip: string
}

/** Logins that wait for a second factor, and ceremonies of WebAuthn in a session. */
export interface FactorChallenges {
  /**
   * Stores a login that waits, outside a transaction. Only the MAC of its token is stored.
   * @returns the `mfa_token`, and how many seconds it works
   * @throws KeywardError `rate_limited` when the account has too many
   */
  beginChallenge(challenge: NewChallenge): Promise<{ id: string; token: string; expiresIn: number }>
  /** @returns undefined when the token is unknown, used up, expired, or of another purpose */
  findChallenge(purpose: 'login' | 'enroll', token: string): Promise<StoredChallenge | undefined>
  /**
   * Uses up one of the five tries of a challenge, outside the transaction of the answer.
   * @returns false when none is left, or the challenge is over
   */
  takeTry(id: string): Promise<boolean>
  /**
   * Ends a challenge, in the transaction of its success. Of concurrent calls, only one succeeds.
   * @returns false when it was over before; the caller must roll back
   */
  endChallenge(id: string): Promise<boolean>
  /**
   * Notes what a login of the purpose `enroll` has reached: the id of the app that it adds, or another word.
   * @returns false when the login is over
   */
  noteStage(id: string, stage: string): Promise<boolean>
  /** @returns what `noteStage` noted last; undefined for nothing, and when the login is over */
  stageOf(id: string): Promise<string | undefined>
  /**
   * Makes the challenge of WebAuthn for a login that waits; an earlier one of the login becomes void.
   * @returns 32 random bytes in base64url; undefined when the login is over
   */
  makeWebauthn(id: string): Promise<string | undefined>
  /**
   * Uses up the challenge of WebAuthn of a login, before anything of the answer is looked at. The login goes on.
   * @returns undefined when there is none
   */
  takeWebauthn(id: string): Promise<string | undefined>
  /**
   * Begins a ceremony of WebAuthn in a session. An earlier one of this purpose in the session becomes void.
   * @param of.note what `takeCeremony` returns again
   * @returns the id, and 32 random bytes in base64url
   */
  beginCeremony(of: NewCeremony): Promise<{ id: string; challenge: string; expiresIn: number }>
  /**
   * Uses up the ceremony of a session, before anything of the answer is looked at.
   * @param of.id undefined for the only ceremony of this purpose
   * @returns undefined when there is none
   */
  takeCeremony(of: Ceremony & { id?: string }): Promise<{ challenge: string; note: string } | undefined>
}

interface Ceremony {
  purpose: 'register' | 'step_up'
  sessionId: string
}

interface NewCeremony extends Ceremony {
  userId: number
  note?: string
}

/** How long a login waits for the second factor, and a ceremony of WebAuthn for its answer, in milliseconds. */
export const CHALLENGE_LIFETIME = 5 * MINUTE

/** How long a login waits until its user has read a mail and set up a factor, in milliseconds. */
const ENROLLMENT_LIFETIME = 20 * MINUTE

/** How many codes may be tried with one `mfa_token`. */
const TRIES = 5

const isToken = (text: string): boolean => /^kwf_[A-Za-z0-9_-]{43}$/.test(text)
const macOf = (key: Uint8Array, token: string): string => toBase64Url(hmacSha256(key, token))

export const factorChallenges = ({ store: db, clock, random, limits, secrets }: FactorsNeeds): FactorChallenges => ({
  async beginChallenge({ ip, amr, ...challenge }) {
    const { userId } = challenge
    const place = await limits.reserve([{ rule: 'mfa.challenge', key: userKey(userId) }], { userId, ip })
    place.keep()
    const id = randomId(random)
    const token = `kwf_${toBase64Url(random.bytes(32))}`
    const now = clock.now()
    const lifetime = challenge.purpose === 'enroll' ? ENROLLMENT_LIFETIME : CHALLENGE_LIFETIME
    await store.insert(db, {
      ...challenge,
      id,
      amr: amr.join(' '),
      mac: macOf(secrets.macKeys('mfa_token')[0], token),
      sessionId: null,
      challenge: null,
      now,
      expiresAt: now + lifetime,
    })
    return { id, token, expiresIn: lifetime / SECOND }
  },
  async findChallenge(purpose, token) {
    if (!isToken(token)) return undefined
    const macs = secrets.macKeys('mfa_token').map((key) => macOf(key, token))
    const found = await store.findByMac(db, { purpose, macs, now: clock.now(), tries: TRIES })
    return found && { ...found, amr: found.amr.split(' ') }
  },
  takeTry: (id) => store.takeTry(db, { id, most: TRIES, now: clock.now() }),
  endChallenge: (id) => store.end(db, { id, now: clock.now() }),
  noteStage: (id, stage) => store.setWebauthn(db, { id, challenge: stage, now: clock.now() }),
  stageOf: (id) => store.findWebauthn(db, { id, now: clock.now() }),
  async makeWebauthn(id) {
    const challenge = toBase64Url(random.bytes(32))
    return (await store.setWebauthn(db, { id, challenge, now: clock.now() })) ? challenge : undefined
  },
  async takeWebauthn(id) {
    const challenge = await store.findWebauthn(db, { id, now: clock.now() })
    return challenge !== undefined && (await store.useWebauthn(db, { id, challenge })) ? challenge : undefined
  },
  beginCeremony: (of) => beginCeremony({ store: db, clock, random }, of),
  takeCeremony: (of) => takeCeremony({ store: db, clock }, of),
})

/** See `FactorChallenges.beginCeremony`. */
export async function beginCeremony(
  { store: db, clock, random }: Pick<FactorsNeeds, 'store' | 'clock' | 'random'>,
  { purpose, userId, sessionId, note = '' }: NewCeremony,
): Promise<{ id: string; challenge: string; expiresIn: number }> {
  const id = randomId(random)
  const challenge = toBase64Url(random.bytes(32))
  const now = clock.now()
  const row = { id, purpose, userId, sessionId, challenge, mac: null, epoch: 0, amr: '', login: note }
  await db.transaction(
    async () => {
      await store.removeCeremonies(db, { purpose, sessionId })
      await store.insert(db, { ...row, now, expiresAt: now + CHALLENGE_LIFETIME })
    },
    { userId },
  )
  return { id, challenge, expiresIn: CHALLENGE_LIFETIME / SECOND }
}

/** See `FactorChallenges.takeCeremony`. */
export const takeCeremony = async (
  { store: db, clock }: Pick<FactorsNeeds, 'store' | 'clock'>,
  of: Ceremony & { id?: string },
): Promise<{ challenge: string; note: string } | undefined> =>
  // No other text is sent to the database: PostgreSQL refuses a NUL.
  of.id === undefined || isRandomId(of.id) ? store.takeCeremony(db, { ...of, now: clock.now() }) : undefined

export const cleanUpChallenges = ({ store: db, clock }: FactorsNeeds, limit: number): Promise<number> =>
  store.deleteExpired(db, { now: clock.now(), limit })
