import { invalidField, KeywardError, MISSING } from '../../errors.ts'
import type { FreshProof } from '../accounts/accounts.ts'
import { type Factor, type FactorChanger, signsIn } from '../factors/factors.ts'
import { factorChange } from '../limits/limits.ts'
import type { SessionCaller } from '../sessions/sessions.ts'
import { invalidName, normalizeName } from '../users/users.ts'
import type { EnrollmentNeeds } from './enrollment.ts'

export const changerOf = ({ userId, sessionId }: SessionCaller, { ip }: { ip: string }): FactorChanger => ({
  userId,
  sessionId,
  ip,
})

/** @throws KeywardError `validation_failed` */
export function readName(typed: string): string {
  const name = normalizeName(typed)
  if (name === undefined) throw invalidField('name', invalidName)
  return name
}

/**
 * Makes sure that the caller may add a factor.
 * @throws KeywardError those of `Accounts.requireFresh` and `Accounts.requireMailedCode`
 */
export async function requireMayAdd(
  { accounts }: EnrollmentNeeds,
  caller: SessionCaller,
  proof: FreshProof,
): Promise<void> {
  await accounts.requireFresh(caller, proof)
  await accounts.requireMailedCode(caller, proof)
}

/**
 * Makes a change of factors in one transaction, in which the user is locked, and ends all other sessions of the user.
 * Concurrent changes wait for each other here.
 * @throws KeywardError `invalid_token` when the caller's session has just ended; the error of `change`
 */
export const whole = <T>(
  { store: db, users, sessions }: EnrollmentNeeds,
  caller: SessionCaller,
  change: (by: FactorChanger) => Promise<T>,
  from: { ip: string },
): Promise<T> =>
  db.transaction(
    async () => {
      const { userId, sessionId } = caller
      if (!(await users.hold(userId))) throw new KeywardError('invalid_token')
      await sessions.endAll({ userId, keep: sessionId, reason: 'factor_changed' })
      return change(changerOf(caller, from))
    },
    { userId: caller.userId },
  )

/**
 * True when a rule of this service wants a second factor of the user. The user is read again: the caller's user has only
 * the roles that count at the level of the session.
 */
export async function isRequired({ users, factors }: EnrollmentNeeds, userId: number): Promise<boolean> {
  const user = await users.find(userId)
  return user !== undefined && factors.isRequired(user)
}

/** See `Enrollment.rename`. */
export async function rename(
  { store: db, limits, factors }: EnrollmentNeeds,
  caller: SessionCaller,
  { id, name: typed, ip }: { id: string; name: string; ip: string },
): Promise<Factor> {
  const { userId } = caller
  const name = readName(typed)
  const before = (await factors.list(userId)).find((factor) => factor.id === id)
  if (!before) throw new KeywardError('factor_not_found')
  if (before.name === name) return before
  await using place = await limits.reserve([factorChange(userId)], { userId, ip })
  await db.transaction(() => factors.rename({ by: changerOf(caller, { ip }), id, name }), { userId })
  place.keep()
  return { ...before, name }
}

/** See `Enrollment.remove`. */
export async function remove(
  needs: EnrollmentNeeds,
  caller: SessionCaller,
  { id, ...proof }: FreshProof & { id: string },
): Promise<void> {
  const { accounts, limits, factors, identities } = needs
  const { userId } = caller
  await accounts.requireFresh(caller, proof)
  const hasPassword = await accounts.hasPassword(userId)
  // A thief with a copied session, or with the unlocked phone, does not know the password.
  if (hasPassword && typeof proof.password !== 'string') throw invalidField('password', MISSING)
  await using place = await limits.reserve([factorChange(userId)], { userId, ip: proof.ip })
  await whole(
    needs,
    caller,
    async (by) => {
      const { removed, left } = await factors.remove({ by, id })
      if (!removed.isUsable) return
      if (!left.some(({ isUsable }) => isUsable) && (await isRequired(needs, userId)))
        throw new KeywardError('factor_required')
      if (signsIn(removed) && !hasPassword && !left.some(signsIn) && !(await identities.canSignIn(userId)))
        throw new KeywardError('last_login_method')
    },
    proof,
  )
  place.keep()
}

/** See `Enrollment.renewCodes`. */
export async function renewCodes(needs: EnrollmentNeeds, caller: SessionCaller, proof: FreshProof): Promise<string[]> {
  const { userId } = caller
  await needs.accounts.requireFresh(caller, proof)
  await using place = await needs.limits.reserve([factorChange(userId)], { userId, ip: proof.ip })
  const codes = await whole(needs, caller, (by) => needs.factors.renewRecoveryCodes({ by }), proof)
  place.keep()
  return codes
}
