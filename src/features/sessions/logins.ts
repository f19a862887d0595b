import { begin } from './begin.ts'
import {
  type EnrollmentEnd,
  type EnrollmentToken,
  type FinishedEnrollment,
  findEnrollment,
  finishEnrollment,
  type WaitingEnrollment,
} from './enrollment.ts'
import { type Asked, type CodeAtOnce, finishLogin, type LoginGrant, requireSession } from './grant.ts'
import { answerFactor, describeFactor, type LoginAnswer, type WaysOn } from './second-factor.ts'
import type { Begun, BegunSession, NewLogin } from './session.ts'
import type { SessionsNeeds } from './sessions.ts'

/** How sessions begin, with one factor or two. */
export interface LoginSessions {
  /**
   * Begins a session. All sessions begin in this function, and only this function checks that the account may have a
   * session. Call it in the transaction of the login, and call `finishLogin` or `requireSession` after the commit. When
   * the user then has more than `maxPerUser` live sessions, those that were refreshed longest ago end; sessions of
   * clients do not count.
   *
   * When the login has shown one factor and the user has a second one, nothing is stored, and the result is a
   * `FactorDue`, unless the login came with the token of a trusted device. The factors are read in the transaction, so that no way to log in passes by one.
   * @throws KeywardError `invalid_credentials` when the user is inactive or deleted, or when all sessions of the user
   *   were ended after the credential was read
   */
  begin(login: NewLogin): Promise<Begun>
  /**
   * Makes the tokens of a login.
   * @param code a code of an authenticator app that came with the first factor. It is only looked at when it is needed,
   *   and a wrong one is counted
   * @throws KeywardError as `requireSession`
   */
  finishLogin(begun: Begun, asked?: Asked, code?: CodeAtOnce): Promise<LoginGrant>
  /**
   * Returns the session of a login. A login that waits for the second factor is stored for five minutes.
   * @throws KeywardError `mfa_required` with the `mfa_token` and the methods, when the second factor is due;
   *   `mfa_enrollment_required` with one when the user must add a factor first; `rate_limited` when the account has too many such logins
   */
  requireSession(begun: Begun, asked?: Asked): Promise<BegunSession>
  /**
   * Begins the session of a login that waited for the second factor. A token allows five codes and one success. A wrong
   * code also counts for the account, over all its logins and networks.
   * @throws KeywardError `mfa_token_expired` when the token is unknown, used or expired, had five wrong codes, or all
   *   sessions of the user were ended since; `invalid_code`, `webauthn_failed`, `totp_locked`, `rate_limited`
   */
  answerFactor(login: LoginAnswer): Promise<BegunSession>
  /**
   * Finds a login that waits until its user has a second factor.
   * @throws KeywardError `mfa_token_expired` when the token is unknown, used or expired, all sessions of the user were
   *   ended since, or the user has a factor now
   */
  findEnrollment(of: EnrollmentToken): Promise<WaitingEnrollment>
  /**
   * Begins the session of a login that waited until its user had a second factor. Each call uses up one of five tries,
   * whatever it comes to. All other sessions of the user end. Of
   * concurrent calls for a user, only one succeeds.
   * @throws KeywardError `mfa_token_expired` as `findEnrollment`; the error of `end.add`, after which the login waits on
   */
  finishEnrollment<Added>(end: EnrollmentEnd<Added>): Promise<FinishedEnrollment<Added>>
  /**
   * Says how a login that waits can go on. Uses up no try.
   * @param login.withOptions true also makes a new challenge of WebAuthn
   * @throws KeywardError `mfa_token_expired`
   */
  describeFactor(login: { token: string; isBrowser: boolean; withOptions: boolean }): Promise<WaysOn>
}

export const loginSessions = (needs: SessionsNeeds): LoginSessions => ({
  begin: (login) => begin(needs, login),
  finishLogin: (begun, asked, code) => finishLogin(needs, begun, asked, code),
  requireSession: (begun, asked) => requireSession(needs, begun, asked),
  answerFactor: (login) => answerFactor(needs, login),
  findEnrollment: (of) => findEnrollment(needs, of),
  finishEnrollment: (end) => finishEnrollment(needs, end),
  describeFactor: (login) => describeFactor(needs, login),
})
