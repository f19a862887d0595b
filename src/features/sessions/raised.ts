import type { FactorAnswer, FactorMethod } from '../factors/factors.ts'
import { type Raised, raise, type Shown } from './raise.ts'
import type { SessionCaller, SessionsNeeds } from './sessions.ts'
import { describeStepUp, renewCredential, stepUp } from './step-up.ts'

/** What is shown again in a session that goes on, so that it is fresh or reaches a higher level. */
export interface RaisedSessions {
  /**
   * Records that something was shown in a session, and makes its new credentials: the same session, its next generation.
   * A browser session gets another cookie. The former cookie, and all former refresh tokens, are void. An older access
   * token keeps its level until it expires. Call it in the transaction that has checked what was shown, with the user's
   * row locked.
   * @throws KeywardError `invalid_token` when the session has just ended
   */
  raise(caller: Pick<SessionCaller, 'userId' | 'sessionId'>, shown: Shown): Promise<Raised>
  /**
   * Checks a second factor of the caller, and raises the session. It counts as in a login: a wrong code counts for the
   * account.
   * @throws KeywardError `invalid_code`, `webauthn_failed`, `totp_locked`, `rate_limited`; `invalid_token` when the
   *   session has just ended
   */
  stepUp(caller: Stepping, shown: { answer: FactorAnswer; ip: string }): Promise<Raised>
  /**
   * Records that the first factor was checked again in the caller's session, which is then as fresh as after a login.
   * The check of a second factor stays as old as it is.
   * @param shown.amr the authentication method, such as `pwd` (RFC 8176)
   * @throws KeywardError `invalid_token` when the session has just ended
   */
  renewCredential(caller: Stepping, shown: { amr: readonly string[]; ip: string }): Promise<Raised>
  /**
   * Says which second factors the caller can show in the session.
   * @param how.withOptions true also makes the request options of WebAuthn, for a caller who has a passkey or security
   *   key. Earlier ones become void
   */
  describeStepUp(
    caller: Pick<SessionCaller, 'userId' | 'sessionId'>,
    how: { withOptions: boolean },
  ): Promise<{ methods: readonly FactorMethod[]; expiresIn?: number; webauthn?: object | undefined }>
}

type Stepping = Pick<SessionCaller, 'userId' | 'sessionId' | 'user'>

export const raisedSessions = (needs: SessionsNeeds): RaisedSessions => ({
  raise: (caller, shown) => raise(needs, caller, shown),
  stepUp: (caller, shown) => stepUp(needs, caller, shown),
  renewCredential: (caller, shown) => renewCredential(needs, caller, shown),
  describeStepUp: (caller, how) => describeStepUp(needs, caller, how),
})
