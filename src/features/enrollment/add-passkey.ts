import type { FreshProof } from '../accounts/accounts.ts'
import type { CredentialKind, PendingPasskey } from '../factors/factors.ts'
import { factorChange } from '../limits/limits.ts'
import type { SessionCaller } from '../sessions/sessions.ts'
import type { Added } from './add-totp.ts'
import { changerOf, readName, requireMayAdd, whole } from './change.ts'
import type { EnrollmentNeeds } from './enrollment.ts'

/** See `Enrollment.beginPasskey`. */
export async function beginPasskey(
  needs: EnrollmentNeeds,
  caller: SessionCaller,
  { kind, ...proof }: FreshProof & { kind: CredentialKind },
): Promise<PendingPasskey> {
  const { limits, factors } = needs
  const { userId, user, sessionId } = caller
  await requireMayAdd(needs, caller, proof)
  await using place = await limits.reserve([factorChange(userId)], { userId, ip: proof.ip })
  const pending = await factors.beginPasskey({ user, by: { ...changerOf(caller, proof), sessionId }, kind })
  place.keep()
  return pending
}

/** See `Enrollment.addPasskey`. */
export async function addPasskey(
  needs: EnrollmentNeeds,
  caller: SessionCaller,
  {
    challengeId,
    credential,
    name: typed,
    ...proof
  }: FreshProof & { challengeId: string; credential: unknown; name?: string | null },
): Promise<Added> {
  const { limits, factors, sessions } = needs
  const { userId, sessionId } = caller
  const name = typed ? readName(typed) : undefined
  await requireMayAdd(needs, caller, proof)
  // A wrong answer counts too: each writes an event.
  const place = await limits.reserve([factorChange(userId)], { userId, ip: proof.ip })
  place.keep()
  // In a transaction of its own: the challenge is used up whatever becomes of the answer.
  const by = { ...changerOf(caller, proof), sessionId }
  const checked = await factors.checkPasskey({ by, challengeId, response: credential })
  return whole(
    needs,
    caller,
    async (changer) => {
      const { amr, ...added } = await factors.addPasskey({ by: changer, checked, name })
      return { ...added, raised: await sessions.raise(caller, { amr, isFactor: true }) }
    },
    proof,
  )
}
