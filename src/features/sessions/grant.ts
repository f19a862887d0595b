import { roleNames } from '../users/users.ts'
import type { RefreshTokens } from './refresh-token.ts'
import type { BegunSession } from './session.ts'
import type { SessionsNeeds } from './sessions.ts'

/** The tokens with which a client acts for a user (RFC 6749 section 5.1). */
export interface Grant {
  /** For the log; not sent to the client. */
  userId: number
  accessToken: string
  /** Lifetime of the access token in seconds. */
  expiresIn: number
  refreshToken: string
  /** The granted scope, if the client asked for one. */
  scope?: string
}

/**
 * The scope of every session: the client acts as the user, without a limit. RFC 6749 section 5.1 requires an answer
 * with the granted scope if the client asked for another one.
 */
const ACCOUNT_SCOPE = 'account'

/** What a client asked for with a login or a refresh. */
export interface Asked {
  /** The value of `scope`; undefined or empty if it was not sent. */
  scope?: string
}

/** The tokens of a login; `deviceToken` marks the device as one of the user's. */
export interface LoginGrant extends Grant {
  deviceToken: string
}

export async function finishLogin(
  needs: SessionsNeeds,
  { session, user, deviceId }: BegunSession,
  asked: Asked = {},
): Promise<LoginGrant> {
  const deviceToken = await needs.deviceTokens.make({ deviceId, userId: user.id })
  const tokens = needs.refreshTokensOf(session)
  return { ...makeGrant(needs, { session, user, tokens, generation: 0 }, asked), deviceToken }
}

interface RefreshGeneration {
  /** The refresh tokens of the session. */
  tokens: RefreshTokens
  generation: number
}

/**
 * Makes the tokens of a session at one generation. Every call for the same generation returns the same refresh token.
 */
export function makeGrant(
  needs: SessionsNeeds,
  { session, user, tokens, generation }: Pick<BegunSession, 'session' | 'user'> & RefreshGeneration,
  asked: Asked = {},
): Grant {
  const scope = asked.scope ? ACCOUNT_SCOPE : undefined
  const { token, expiresIn } = needs.tokens.mint({
    userId: user.id,
    sessionId: session.id,
    generation,
    username: user.username,
    email: user.email,
    emailVerified: user.emailVerifiedAt !== null,
    roles: roleNames(user),
    amr: session.amr.split(' '),
    authTime: session.authTime,
    scope,
  })
  return { userId: user.id, accessToken: token, expiresIn, refreshToken: tokens.make(generation), scope }
}
