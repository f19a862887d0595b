import type { User } from '../users/users.ts'
import { nameKeysOf } from '../users/users.ts'
import type { Proof, ProofPurpose, ProofsNeeds } from './proofs.ts'
import * as store from './store.ts'

/** The purposes that prove the present address of the user. The others prove the next or the former one. */
const ofPresentAddress: readonly ProofPurpose[] = [
  'verify_email',
  'reset_password',
  'log_in',
  'link_identity',
  'invitation',
  'enroll_factor',
  'recover_factors',
]

export async function findHolder({ users }: ProofsNeeds, proof: Proof): Promise<User | undefined> {
  if (proof.userId === null) return undefined
  const user = await users.find(proof.userId)
  return user && counts(proof, user) ? user : undefined
}

function counts({ purpose, epoch, addressKey }: Proof, user: User): boolean {
  const isSameAddress = !ofPresentAddress.includes(purpose) || nameKeysOf(user).emailKey === addressKey
  return isSameAddress && (epoch === null || (user.isActive && user.sessionEpoch === epoch))
}

export async function redeem(needs: ProofsNeeds, proof: Proof): Promise<User | 'none' | undefined> {
  const { store: db, clock, users } = needs
  const { id, userId, epoch } = proof
  // The user's row is locked first, as in a login. All transactions lock in this order, so they cannot deadlock.
  if (userId !== null && epoch !== null && !(await users.holdForSession({ id: userId, epoch }))) return undefined
  if (!(await store.use(db, { id, shown: proof.shown, now: clock.now() }))) return undefined
  if (userId === null) return proof.subject === null ? undefined : 'none'
  await store.deleteSiblings(db, { ...proof, userId })
  return findHolder(needs, proof)
}
