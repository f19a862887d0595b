import { KeywardError } from '../../errors.ts'
import type { FactorAnswer, FactorMethod } from '../factors/factors.ts'
import { accountWrite } from '../limits/limits.ts'
import { type Raised, raise } from './raise.ts'
import type { SessionCaller, SessionsNeeds } from './sessions.ts'

/** Whose session a second factor is shown in. */
type Stepping = Pick<SessionCaller, 'userId' | 'sessionId' | 'user'>

/** See `Sessions.stepUp`. */
export async function stepUp(
  needs: SessionsNeeds,
  { userId, sessionId, user }: Stepping,
  { answer, ip }: { answer: FactorAnswer; ip: string },
): Promise<Raised> {
  const { store: db, audit, users, limits, factors } = needs
  const about = { userId, sessionId, ip }
  // Every answer writes an event. What is right writes the session too.
  await using place = await limits.reserve([accountWrite(userId)], { userId, ip })
  place.keep()
  await using guess = await factors.reserveGuess(about, answer)
  // Used up before the answer is looked at, so that no answer can be tried twice.
  const ceremony = 'webauthn' in answer ? await factors.takeCeremony({ purpose: 'step_up', sessionId }) : undefined
  const raised = await db.transaction(
    async () => {
      if (!(await users.holdForSession({ id: userId, epoch: user.sessionEpoch })))
        throw new KeywardError('invalid_token')
      const proof = await factors.check({ ...about, challenge: ceremony?.challenge }, answer)
      if (!proof) return undefined
      await guess.giveBack()
      const { method, factorId, amr } = proof
      const credentials = await raise(needs, { userId, sessionId }, { amr, isFactor: true })
      const details = { method, ...(factorId !== undefined && { factor: factorId }) }
      await audit.record({ ...about, event: 'session.stepped_up', details })
      return credentials
    },
    { userId },
  )
  if (raised) return raised
  await guess.keep()
  throw new KeywardError('webauthn' in answer ? 'webauthn_failed' : 'invalid_code')
}

/** See `Sessions.renewCredential`. */
export const renewCredential = (
  needs: SessionsNeeds,
  { userId, sessionId, user }: Stepping,
  { amr, ip }: { amr: readonly string[]; ip: string },
): Promise<Raised> =>
  needs.store.transaction(
    async () => {
      if (!(await needs.users.holdForSession({ id: userId, epoch: user.sessionEpoch })))
        throw new KeywardError('invalid_token')
      const raised = await raise(needs, { userId, sessionId }, { amr, isFactor: false })
      await needs.audit.record({ event: 'session.stepped_up', userId, sessionId, ip, details: { method: amr[0]! } })
      return raised
    },
    { userId },
  )

/** See `Sessions.describeStepUp`. */
export async function describeStepUp(
  { factors }: SessionsNeeds,
  { userId, sessionId }: Pick<Stepping, 'userId' | 'sessionId'>,
  { withOptions }: { withOptions: boolean },
): Promise<{ methods: readonly FactorMethod[]; expiresIn?: number; webauthn?: object | undefined }> {
  const methods = await factors.methods(userId)
  if (!withOptions || !methods.includes('webauthn')) return { methods }
  const { challenge, expiresIn } = await factors.beginCeremony({ purpose: 'step_up', userId, sessionId })
  return { methods, expiresIn, webauthn: await factors.webauthnOptions(userId, challenge) }
}
