import { isRandomId } from '../../lib/random.ts'
import type { Requester } from '../limits/limits.ts'
import { CODE_TRIES, type Proof, type ProofPurpose, type ProofsNeeds } from './proofs.ts'
import * as store from './store.ts'

interface TypedCode {
  purpose: ProofPurpose
  id: string
  code: string
  requester: Requester
}

export async function checkCode(
  { store: db, clock, limits, secrets }: ProofsNeeds,
  { purpose, id, code, requester }: TypedCode,
): Promise<Proof | undefined> {
  if (!isRandomId(id)) return undefined
  const addressKey = await store.addressOf(db, { id, purpose })
  if (addressKey === undefined) return undefined
  // The limit counts by address, also for the decoy of an unknown address. A refusal therefore does not tell whether an
  // account has the address.
  await using place = await limits.reserve([{ rule: 'code.account', key: limits.nameKey(addressKey) }], requester)
  // The try is counted and committed before the comparison: no error and no rollback gives it back.
  const found = await store.takeTry(db, { id, purpose, now: clock.now(), most: CODE_TRIES })
  if (!found) return undefined
  const { codeMac, ...proof } = found
  if (codeMac !== null && secrets.isCode(proof, code, codeMac)) return { ...proof, shown: { codeMac } }
  place.keep()
  return undefined
}
