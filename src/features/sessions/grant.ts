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
}

/** The tokens of a login; `deviceToken` marks the device as one of the user's. */
export interface LoginGrant extends Grant {
  deviceToken: string
}

export async function finishLogin(
  needs: SessionsNeeds,
  { session, user, deviceId }: BegunSession,
): Promise<LoginGrant> {
  const deviceToken = await needs.deviceTokens.make({ deviceId, userId: user.id })
  const tokens = needs.refreshTokensOf(session)
  return { ...makeGrant(needs, { session, user, tokens, generation: 0 }), deviceToken }
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
): Grant {
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
  })
  return { userId: user.id, accessToken: token, expiresIn, refreshToken: tokens.make(generation) }
}
