import { KeywardError } from '../../errors.ts'
import type { FreshProof } from '../accounts/accounts.ts'
import type { Factor, PendingTotp } from '../factors/factors.ts'
import { factorChange } from '../limits/limits.ts'
import type { Raised, SessionCaller } from '../sessions/sessions.ts'
import { changerOf, readName, requireMayAdd, whole } from './change.ts'
import type { EnrollmentNeeds } from './enrollment.ts'

/** A factor that was just added. */
export interface Added {
  factor: Factor
  /** Ten codes, which nothing shows again; undefined when the account had a factor before. */
  recoveryCodes: string[] | undefined
  /** The new credentials of the caller's session, which now counts as one with a second factor. */
  raised: Raised
}

export const USUAL_NAME = 'Authenticator app'

/** See `Enrollment.beginTotp`. */
export async function beginTotp(
  needs: EnrollmentNeeds,
  caller: SessionCaller,
  { name: typed, ...proof }: FreshProof & { name?: string | null },
): Promise<PendingTotp> {
  const { userId, user } = caller
  const name = readName(typed ?? USUAL_NAME)
  await requireMayAdd(needs, caller, proof)
  await using place = await needs.limits.reserve([factorChange(userId)], { userId, ip: proof.ip })
  const pending = await needs.factors.beginTotp({ user, by: changerOf(caller, proof), name })
  place.keep()
  return pending
}

/** See `Enrollment.confirmTotp`. */
export async function confirmTotp(
  needs: EnrollmentNeeds,
  caller: SessionCaller,
  { id, code, ...proof }: FreshProof & { id: string; code: string },
): Promise<Added> {
  const { userId, sessionId } = caller
  await requireMayAdd(needs, caller, proof)
  // Counted before the code is checked, and kept when it is wrong: a copied session must not guess without a limit.
  await using guess = await needs.factors.reserveGuess({ userId, sessionId, ip: proof.ip }, { otp: code })
  try {
    return await whole(
      needs,
      caller,
      async (by) => {
        const added = await needs.factors.confirmTotp({ by, id, code })
        await guess.giveBack()
        return { ...added, raised: await needs.sessions.raise(caller, { amr: ['otp'], isFactor: true }) }
      },
      proof,
    )
  } catch (error) {
    if (error instanceof KeywardError && error.code === 'invalid_code') await guess.keep()
    throw error
  }
}
