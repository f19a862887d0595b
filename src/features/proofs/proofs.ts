import type { Clock, EpochMs } from '../../lib/clock.ts'
import { DAY, HOUR, MINUTE } from '../../lib/clock.ts'
import type { Random } from '../../lib/random.ts'
import type { Store } from '../../storage/store.ts'
import type { Limits, Requester } from '../limits/limits.ts'
import type { Secrets } from '../secrets/secrets.ts'
import type { User, Users } from '../users/users.ts'
import { checkCode } from './check-code.ts'
import { createProofSecrets, type ProofSecret, type ProofSecrets } from './proof-secrets.ts'
import { findHolder, redeem } from './redeem.ts'
import * as store from './store.ts'

export type { ProofSecret } from './proof-secrets.ts'

/** The purpose of a proof. A token or code of one purpose is refused for every other. */
export type ProofPurpose =
  | 'verify_email'
  | 'reset_password'
  | 'log_in'
  | 'link_identity'
  | 'change_email'
  | 'undo_email'
  | 'invitation'
  | 'enroll_factor'
  | 'recover_factors'

/** How long a token of each purpose is valid, in milliseconds. */
export const tokenLifetimes: Readonly<Record<ProofPurpose, number>> = {
  verify_email: 24 * HOUR,
  reset_password: 30 * MINUTE,
  log_in: 30 * MINUTE,
  link_identity: 30 * MINUTE,
  change_email: 24 * HOUR,
  undo_email: 3 * DAY,
  invitation: 3 * DAY,
  enroll_factor: 30 * MINUTE,
  recover_factors: DAY,
}

/** How long an invitation is valid for a user who has any permission, in milliseconds. */
export const PRIVILEGED_INVITATION = DAY

/** How long a code is valid, in milliseconds. */
export const CODE_LIFETIME = 10 * MINUTE

/** How many codes may be tried with one `challenge_id`. */
export const CODE_TRIES = 5

/**
 * The user or the pending registration that a proof belongs to, and the address that it proves. A proof with neither
 * `userId` nor `subject` is a decoy, which proves nothing.
 */
export interface ProofOf {
  /** The id of the mail. */
  id: string
  purpose: ProofPurpose
  userId: number | null
  /** The id of a pending registration. */
  subject: string | null
  /** The address that is proved, in lower case. */
  addressKey: string
  /** The user's session epoch; null when the proof stays valid after a change of the epoch. */
  epoch: number | null
}

/** A stored proof that was found by the token or the code that a client sent. */
export interface Proof extends ProofOf {
  expiresAt: EpochMs
  createdAt: EpochMs
  /** The MAC of the token or code that the client sent. `redeem` requires that the proof still has this MAC. */
  shown: { tokenMac: string } | { codeMac: string }
}

export interface ProofsNeeds {
  store: Store
  clock: Clock
  users: Pick<Users, 'find' | 'holdForSession'>
  limits: Pick<Limits, 'reserve' | 'nameKey'>
  secrets: ProofSecrets
}

/**
 * Proofs that somebody reads an address: the token of a link, with 256 random bits, and sometimes a code of six digits.
 * Only their MACs are stored. A proof is for one purpose, one user and one address, and is used once. A proof
 * of a user, except `undo_email`, becomes void when the user's session epoch rises, as with every new password.
 */
export interface Proofs {
  /** Makes a token, and a code for a purpose that has codes. It stores nothing. */
  make(purpose: ProofPurpose): ProofSecret
  /**
   * Stores a proof, in the current transaction. Earlier tokens of this purpose and user (or pending registration)
   * become void. Earlier codes stay valid, because a stranger who asks for a mail must not void the owner's code. A new
   * `undo_email` link voids no earlier link: otherwise a thief could void the owner's link by a second address change.
   * @param until when the token expires; by default after the lifetime of its purpose
   * @returns when the token expires; undefined when the user is no longer active, or has another session epoch
   */
  issue(proof: ProofOf, secret: ProofSecret, until?: EpochMs): Promise<EpochMs | undefined>
  /**
   * Stores a proof that cannot be redeemed. A code for an unknown address is then checked like a code for a known one.
   */
  issueDecoy(proof: Pick<ProofOf, 'id' | 'purpose' | 'addressKey'>): Promise<void>
  /**
   * Finds the proof of a token, and does not use it up. `findHolder` tells whether the proof is still valid for its
   * user.
   * @returns undefined when the token is unknown, void or expired, or of another purpose
   */
  find(purpose: ProofPurpose, token: string): Promise<Proof | undefined>
  /**
   * Checks a code, and uses up one of its tries. A wrong code also counts in the limit of its address.
   * @returns undefined when the code is wrong or expired, or its tries are used up
   * @throws KeywardError `rate_limited`
   */
  checkCode(
    purpose: ProofPurpose,
    typed: { id: string; code: string },
    requester: Requester,
  ): Promise<Proof | undefined>
  /**
   * Finds the user of a proof.
   * @returns undefined when the user is deleted or inactive or has another session epoch (for a proof with an `epoch`),
   *   or has another address than a proof of the present address proves
   */
  findHolder(proof: Proof): Promise<User | undefined>
  /**
   * Uses up a proof, in the current transaction. The caller must roll back when the result is undefined. Of several
   * concurrent calls, only one succeeds. All other proofs of the user and purpose become void; for `undo_email`, only
   * those of the same address.
   * @returns the user as in `findHolder`; `none` for the proof of a pending registration;
   *   undefined when the proof is not valid any more
   */
  redeem(proof: Proof): Promise<User | 'none' | undefined>
  /** Voids all proofs of a user but those of `undo_email`, in the current transaction. */
  voidAll(userId: number): Promise<void>
  /** The proofs of a user, for an export: without secrets. */
  exportOf(userId: number): Promise<object[]>
  /** Returns true when the token or the code of this mail has not expired and is not void. The user is not checked. */
  isLive(id: string): Promise<boolean>
  /** Deletes up to `limit` proofs that have expired. @returns how many */
  cleanUp(limit: number): Promise<number>
}

export function createProofs({
  secrets,
  random,
  ...others
}: Omit<ProofsNeeds, 'secrets'> & { secrets: Pick<Secrets, 'macKeys'>; random: Random }): Proofs {
  const needs: ProofsNeeds = { ...others, secrets: createProofSecrets({ secrets, random }) }
  const { store: db, clock } = needs

  async function insert(
    proof: ProofOf,
    { token, code }: Partial<ProofSecret>,
    until = clock.now() + tokenLifetimes[proof.purpose],
  ): Promise<EpochMs> {
    const now = clock.now()
    const expiresAt = until
    await store.insert(db, {
      ...proof,
      tokenMac: token === undefined ? null : needs.secrets.macOfToken(proof.purpose, token),
      codeMac: code === undefined ? null : needs.secrets.macOfCode(proof, code),
      codeUntil: code === undefined ? null : now + CODE_LIFETIME,
      expiresAt,
      createdAt: now,
    })
    return expiresAt
  }

  return {
    make: needs.secrets.make,
    async issue(proof, secret, until) {
      const { userId, epoch } = proof
      // The lock makes concurrent calls for one user wait for each other. Otherwise two new tokens could both stay
      // valid.
      if (userId !== null && epoch !== null && !(await needs.users.holdForSession({ id: userId, epoch })))
        return undefined
      if (proof.purpose !== 'undo_email') await store.voidTokens(db, proof)
      return insert(proof, secret, until)
    },
    async issueDecoy(proof) {
      const { code } = needs.secrets.make(proof.purpose)
      await insert({ ...proof, userId: null, subject: null, epoch: null }, { code })
    },
    async find(purpose, token) {
      const tokenMacs = needs.secrets.macsOfToken(purpose, token)
      return tokenMacs && store.findByToken(db, { purpose, tokenMacs, now: clock.now() })
    },
    checkCode: (purpose, typed, requester) => checkCode(needs, { purpose, ...typed, requester }),
    findHolder: (proof) => findHolder(needs, proof),
    redeem: (proof) => redeem(needs, proof),
    voidAll: (userId) => store.deleteOfUser(db, userId),
    exportOf: (userId) => store.listOf(db, userId),
    isLive: (id) => store.isLive(db, { id, now: clock.now() }),
    cleanUp: (limit) => store.deleteExpired(db, { now: clock.now(), limit }),
  }
}
