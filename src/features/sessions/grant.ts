import { roleNames } from '../users/users.ts'
import type { RefreshTokens } from './refresh-token.ts'
import type { BegunSession } from './session.ts'
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
}

export async function finishLogin(
  needs: SessionsNeeds,
  { session, user, deviceId }: BegunSession,
  asked: Asked = {},
): Promise<LoginGrant> {
  // The cookie of a browser session must not become tokens for the whole account.
  if (session.kind !== 'api') throw new Error('A browser session has no tokens')
  const deviceToken = await needs.deviceTokens.make({ deviceId, userId: user.id })
  const tokens = needs.refreshTokensOf(session)
  return { ...makeGrant(needs, { session, user, tokens, generation: 0 }, asked), deviceToken }
}

interface RefreshGeneration {
  tokens: RefreshTokens
  generation: number
}

/**
 * Makes a new access token of a session at `generation`, and the refresh token of this generation. Until the data key
 * of refresh tokens is renewed, every call for one generation returns the same refresh token.
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
