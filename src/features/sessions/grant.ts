import { KeywardError } from '../../errors.ts'
import type { EpochMs } from '../../lib/clock.ts'
import { levelOf } from '../tokens/tokens.ts'
import { roleNames } from '../users/users.ts'
import type { RefreshTokens } from './refresh-token.ts'
import { answerAtOnce, askForFactor } from './second-factor.ts'
import { type Begun, type BegunSession, isDue, type Origin } from './session.ts'
import type { SessionsNeeds } from './sessions.ts'

/** The tokens with which a client acts for a user (RFC 6749 section 5.1). */
export interface Grant {
  /** For the log of requests; not sent to the client. */
  userId: number
  accessToken: string
  /** Lifetime of the access token in seconds. */
  expiresIn: number
  refreshToken: string
  /** The granted scope; undefined if the client asked for no scope. */
  scope?: string
}

/**
 * The scope of every session: the client may do everything that the user may do. If a client asks for a different
 * scope, RFC 6749 section 5.1 requires that the answer contains the granted scope.
 */
const ACCOUNT_SCOPE = 'account'

/** The optional parameters of a login or a refresh. */
export interface Asked {
  /** The scope that the client asks for. An empty text means no scope, like undefined. */
  scope?: string
}

/** The tokens of a login. With `deviceToken`, Keyward recognizes the device at the next login. */
export interface LoginGrant extends Grant {
  deviceToken: string
  /** The token of the device, when it is trusted from now on. */
  trustedToken?: string
  /** See `BegunSession.secondFactorDue`. */
  secondFactorDue?: EpochMs
}

/** A code that came with the first factor, and where it came from. */
export interface CodeAtOnce {
  otp: string
  origin: Origin
  /** True to trust the device from now on, if it may be trusted. */
  trustDevice?: boolean
}

/** See `Sessions.finishLogin`. */
export async function finishLogin(
  needs: SessionsNeeds,
  begun: Begun,
  asked: Asked = {},
  code?: CodeAtOnce,
): Promise<LoginGrant> {
  const finished = await requireSession(needs, begun, asked, code)
  const { session, user, scope = asked.scope, secondFactorDue, trusted } = finished
  // The cookie of a browser session must not become tokens for the whole account.
  if (session.kind !== 'api') throw new Error('A browser session has no tokens')
  const deviceToken = await makeDeviceToken(needs, finished)
  const tokens = needs.refreshTokensOf(session)
  const grant = await makeGrant(needs, { session, user, tokens, generation: 0 }, { scope })
  return {
    ...grant,
    deviceToken,
    ...(secondFactorDue !== undefined && { secondFactorDue }),
    ...(trusted && { trustedToken: trusted.token }),
  }
}

/** See `Sessions.makeDeviceToken`. After a second factor or a passkey, nothing waits behind the hashes of passwords. */
export async function makeDeviceToken(
  { deviceTokens }: SessionsNeeds,
  { session, deviceId, user }: BegunSession,
): Promise<string> {
  const device = { deviceId, userId: user.id }
  return levelOf(session.amr.split(' ')) === 'aal1' ? deviceTokens.make(device) : deviceTokens.makeNow(device)
}

/** See `Sessions.requireSession`. */
export async function requireSession(
  needs: SessionsNeeds,
  begun: Begun,
  asked: Asked = {},
  code?: CodeAtOnce,
): Promise<BegunSession> {
  if (!isDue(begun)) return begun
  if (code === undefined || begun.due === 'enrollment') throw await askForFactor(needs, begun, asked)
  try {
    return await answerAtOnce(needs, begun, { ...code, scope: asked.scope })
  } catch (error) {
    // The password was right, so the login goes on with a token. The wrong code is counted.
    if (!(error instanceof KeywardError) || !codeRefusals.includes(error.code)) throw error
    throw await askForFactor(needs, begun, asked)
  }
}

const codeRefusals: readonly string[] = ['invalid_code', 'rate_limited', 'totp_locked']

interface RefreshGeneration {
  tokens: RefreshTokens
  generation: number
}

/**
 * Makes a new access token of a session at `generation`, with the roles that count at its level, and the refresh token
 * of this generation. Until the data key
 * of refresh tokens is renewed, every call for one generation returns the same refresh token.
 */
export async function makeGrant(
  needs: SessionsNeeds,
  { session, user, tokens, generation }: Pick<BegunSession, 'session' | 'user'> & RefreshGeneration,
  asked: Asked = {},
): Promise<Grant> {
  const amr = session.amr.split(' ')
  const counted = await needs.factors.atLevel(user, levelOf(amr))
  const scope = asked.scope ? ACCOUNT_SCOPE : undefined
  const { token, expiresIn } = needs.tokens.mint({
    userId: user.id,
    sessionId: session.id,
    generation,
    username: user.username,
    email: user.email,
    emailVerified: user.emailVerifiedAt !== null,
    roles: roleNames(counted),
    amr,
    authTime: session.authTime,
    scope,
  })
  return { userId: user.id, accessToken: token, expiresIn, refreshToken: tokens.make(generation), scope }
}
