import type { User } from '../users/users.ts'
import { open } from './begin.ts'
import { endAll } from './end.ts'
import { expired, type Kept, linkFailed, withFactor } from './second-factor.ts'
import type { BegunSession, NewBrowserLogin, Origin } from './session.ts'
import type { SessionsNeeds } from './sessions.ts'

/** A login that waits until its user has a second factor. */
export interface WaitingEnrollment {
  /** The id of its challenge. */
  id: string
  user: User
  /** The authentication methods that were shown. */
  amr: readonly string[]
  /** How many seconds it waits. */
  expiresIn: number
}

export interface EnrollmentToken {
  /** The `mfa_token`. */
  token: string
  /** True when the login began on a page, and only then. */
  isBrowser: boolean
}

export interface FinishedEnrollment<Added> {
  begun: BegunSession
  added: Added
}

/** The end of a login that waits until its user has a second factor. */
export interface EnrollmentEnd<Added> {
  token: string
  origin: Origin
  /** As in `LoginAnswer`. */
  browser?: Pick<NewBrowserLogin, 'replaces'>
  /** Adds the factor, in the transaction in which the session begins. The session has the methods `amr` then. */
  add: (user: User) => Promise<{ amr: readonly string[]; added: Added }>
}

/** See `Sessions.findEnrollment`. */
export async function findEnrollment(
  { factors, users, clock }: SessionsNeeds,
  { token, isBrowser }: EnrollmentToken,
): Promise<WaitingEnrollment> {
  const challenge = await factors.findChallenge('enroll', token)
  if (!challenge || ((JSON.parse(challenge.login) as Kept).browser !== undefined) !== isBrowser) throw expired()
  const { id, amr, userId, epoch, expiresAt } = challenge
  const user = await users.find(userId)
  if (!user?.isActive || user.sessionEpoch !== epoch || (await factors.stateOf(userId)).has) throw expired()
  return { id, user, amr, expiresIn: Math.ceil((expiresAt - clock.now()) / 1000) }
}

/** See `Sessions.finishEnrollment`. */
export async function finishEnrollment<Added>(
  needs: SessionsNeeds,
  { token, origin, browser, add }: EnrollmentEnd<Added>,
): Promise<FinishedEnrollment<Added>> {
  const { store: db, audit, users, factors } = needs
  const challenge = await factors.findChallenge('enroll', token)
  const kept = challenge && (JSON.parse(challenge.login) as Kept)
  if (!challenge || !kept || (kept.browser !== undefined) !== (browser !== undefined)) throw expired()
  const { id, userId, epoch, amr } = challenge
  if (!(await factors.takeTry(id))) throw expired()
  return db.transaction(
    async () => {
      if (!(await users.holdForSession({ id: userId, epoch }))) throw expired()
      // Another login may have added a factor meanwhile. This one has not shown it.
      if ((await factors.stateOf(userId)).has || !(await factors.endChallenge(id))) throw expired()
      const { amr: shown, added } = await add((await users.find(userId))!)
      await endAll(needs, { userId, reason: 'factor_changed' })
      // As it is after the end of the other sessions, which has raised the session epoch.
      const user = (await users.find(userId))!
      const { device, link, scope } = kept
      const begun = await open(needs, {
        user,
        amr: withFactor(amr, shown),
        origin,
        ...(device && { device }),
        ...(link && { link }),
        ...(kept.browser && { browser: { ...kept.browser, ...browser } }),
      }).catch(linkFailed)
      const about = { userId, ip: origin.ip, sessionId: begun.session.id }
      await audit.record({ ...about, event: 'mfa.passed', details: { method: shown.join(' ') } })
      return { begun: { ...begun, ...(scope !== undefined && { scope }) }, added }
    },
    { userId },
  )
}
