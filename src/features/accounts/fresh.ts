import { KeywardError } from '../../errors.ts'
import { type EpochMs, MINUTE, SECOND } from '../../lib/clock.ts'
import { rightPassword } from '../limits/limits.ts'
import type { SessionCaller } from '../sessions/sessions.ts'
import { reaches } from '../tokens/tokens.ts'
import { nameKeysOf } from '../users/users.ts'
import type { AccountsNeeds } from './accounts.ts'
import { reserveGuess } from './guess-limits.ts'

/** How long a check of a credential stays fresh, in milliseconds. `http/errors.ts` sends it as `max_age`. */
export const FRESH = 15 * MINUTE

/** The password in the body of a request to a route that needs a fresh session. */
export interface FreshProof {
  /** Undefined or null when the body has no password. */
  password?: string | null
  ip: string
  /** The client's network, for limits and the hash gate. */
  client: string
}

/** What a caller must show before a change that needs a fresh check: nothing, a first factor, or the second one. */
export type ProofNeeded = 'none' | 'credential' | 'factor'

/**
 * Makes sure that the caller has proved a credential in the last 15 minutes, so that a copied access token alone is not
 * enough. A password in the body is always checked, and a right one counts for this request only. Without a password,
 * the credential of the session must have been checked within `FRESH`. The check is as old as the older of two times:
 * that in the access token, and that in the session. A refresh changes neither of them.
 *
 * When the user has a second factor, that factor must have been checked within `FRESH`, in the session and before the
 * access token was made. A password in the body is no substitute then.
 *
 * A wrong password counts in the same rate limits as a failed login. A right one counts as a login does.
 * @throws KeywardError `reauthentication_required`, `invalid_password`, `rate_limited`, `overloaded`
 */
export async function requireFresh(
  needs: AccountsNeeds,
  caller: SessionCaller,
  { password, ...from }: FreshProof,
): Promise<void> {
  if (typeof password === 'string') await checkPassword(needs, caller, { password, ...from })
  const needed = await proofNeeded(needs, caller)
  if (needed === 'factor') throw factorRequired()
  if (needed === 'credential' && typeof password !== 'string') throw new KeywardError('reauthentication_required')
}

/** See `Accounts.proofNeeded`. */
export async function proofNeeded(needs: AccountsNeeds, caller: SessionCaller): Promise<ProofNeeded> {
  const { has } = await needs.factors.stateOf(caller.userId)
  const times = await needs.sessions.findChecks(caller)
  const checked = (has ? times?.mfaTime : times?.authTime) ?? 0
  // A copy of a token from before the check of the factor has the level of an older check, and may have a password.
  if (has && (!reaches(caller.acr, 'aal2') || caller.authTime < wholeSeconds(checked))) return 'factor'
  if (isFresh(needs, Math.min(caller.authTime, checked))) return 'none'
  return has ? 'factor' : 'credential'
}

/** @throws KeywardError `reauthentication_required` when the caller has a second factor that was not checked lately */
export async function requireFreshFactor(needs: AccountsNeeds, caller: SessionCaller): Promise<void> {
  if ((await proofNeeded(needs, caller)) === 'factor') throw factorRequired()
}

const factorRequired = () =>
  new KeywardError('reauthentication_required', {
    level: 'aal2',
    sentence: 'Show the second factor again: its last check is more than 15 minutes ago',
  })

/** A time as the claim `auth_time` has it. */
const wholeSeconds = (time: EpochMs): EpochMs => Math.floor(time / SECOND) * SECOND

/** True when a check of a credential at `authTime` is at most `FRESH` old. */
const isFresh = ({ clock }: Pick<AccountsNeeds, 'clock'>, authTime: EpochMs): boolean => clock.now() - authTime <= FRESH

/** The account whose password is checked, and the session of the request, if the request has one. */
export type PasswordOwner = Pick<SessionCaller, 'user'> & Partial<Pick<SessionCaller, 'sessionId'>>

/** See `Accounts.checkPassword`. */
export async function checkPassword(
  needs: AccountsNeeds,
  { user, sessionId }: PasswordOwner,
  { password, ip, client }: FreshProof & { password: string },
): Promise<void> {
  const { audit, users, passwords, limits } = needs
  const userId = user.id
  const right = rightPassword(userId, client)
  limits.refuseKnown(right)
  const name = nameKeysOf(user).usernameKey
  await using reservation = await reserveGuess(needs, { user, name, client, ip })
  const stored = await users.findPassword(userId)
  if (!(await passwords.verify(password, stored, { client, name: limits.nameKey(name) })).ok) {
    await reservation.keep()
    await audit.record({ event: 'reauthentication.failed', userId, sessionId, ip })
    throw new KeywardError('invalid_password')
  }
  const place = await limits.reserve([right], { userId, ip })
  await reservation.giveBack()
  place.keep()
}
