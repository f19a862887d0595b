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

/** What a proof is for. A token or code of one purpose is refused for every other. */
export type ProofPurpose = 'verify_email' | 'reset_password' | 'log_in' | 'change_email' | 'undo_email'

/** How long a token of each purpose is valid, in milliseconds. */
export const tokenLifetimes: Readonly<Record<ProofPurpose, number>> = {
  verify_email: 24 * HOUR,
  reset_password: 30 * MINUTE,
  log_in: 30 * MINUTE,
  change_email: 24 * HOUR,
  undo_email: 3 * DAY,
}

/** How long a code is valid, in milliseconds. */
export const CODE_LIFETIME = 10 * MINUTE

/** How many codes may be tried with one `challenge_id`. */
export const CODE_TRIES = 5

/** Whose address a proof proves. With neither `userId` nor `subject` it is a decoy, which proves nothing. */
export interface ProofOf {
  /** The id of the mail. */
  id: string
  purpose: ProofPurpose
  userId: number | null
  /** The id of a pending registration. */
  subject: string | null
  /** The address that is proved, in lower case. */
  addressKey: string
  /** The user's session epoch; null when the proof outlives it. */
  epoch: number | null
}

/** A stored proof whose token or code was shown. */
export interface Proof extends ProofOf {
  expiresAt: EpochMs
  createdAt: EpochMs
  /** The column by which the proof was found. `redeem` requires that it is still the same. */
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
 * Only their MACs are stored. A proof is for one purpose, one user and one address, and is used once. It ends with the
 * user's session epoch, which every change of the password raises.
 */
export interface Proofs {
  /** Makes a token, and a code for a purpose that has codes. It stores nothing. */
  make(purpose: ProofPurpose): ProofSecret
  /**
   * Stores a proof, in the current transaction. The earlier tokens of this user and purpose become void. Their codes do
   * not, because a stranger can ask for a mail too. A link to undo an address change voids no earlier one: otherwise a
   * thief could void the owner's link by a second change.
   * @returns when the token expires; undefined when the user is no longer active, or has another session epoch
   */
  issue(proof: ProofOf, secret: ProofSecret): Promise<EpochMs | undefined>
  /** Stores a proof that nothing can redeem, so that the code of an unknown address is checked like any other. */
  issueDecoy(proof: Pick<ProofOf, 'id' | 'purpose' | 'addressKey'>): Promise<void>
  /**
   * Finds the proof of a token, and uses up nothing. `findHolder` says whether it still counts.
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
   * The user of a proof, if the proof still counts: the user is active and has the same session epoch and, where the
   * proof is for the present address, the same address.
   */
  findHolder(proof: Proof): Promise<User | undefined>
  /**
   * Uses up a proof, in the current transaction, which must be rolled back when the answer is undefined. Of several
   * concurrent calls, one gets an answer. All other proofs of the user and purpose become void.
   * @returns the user as in `findHolder`, whose row stays locked; `none` for the proof of a pending registration;
   *   undefined when the proof does not count any more
   */
  redeem(proof: Proof): Promise<User | 'none' | undefined>
  /** Voids all proofs of a user but those of `undo_email`, in the current transaction. */
  voidAll(userId: number): Promise<void>
  /** The proofs of a user, for an export: without secrets. */
  exportOf(userId: number): Promise<object[]>
  /** Returns true when the token or the code of this mail can still be used, as far as the stored proof says. */
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

  async function insert(proof: ProofOf, { token, code }: Partial<ProofSecret>): Promise<EpochMs> {
    const now = clock.now()
    const expiresAt = now + tokenLifetimes[proof.purpose]
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
    async issue(proof, secret) {
      const { userId, epoch } = proof
      // The lock makes two mails of one user void each other's token one after another.
      if (userId !== null && epoch !== null && !(await needs.users.holdForSession({ id: userId, epoch })))
        return undefined
      if (proof.purpose !== 'undo_email') await store.voidTokens(db, proof)
      return insert(proof, secret)
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
