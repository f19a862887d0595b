import type { Deps } from '../../deps.ts'
import { KeywardError } from '../../errors.ts'
import { findUser } from '../users/find.ts'
import type { User } from '../users/user.ts'
import * as store from './store.ts'

/** Who a request acts for. */
export interface Principal {
  userId: number
  sessionId: string
  user: User
}

/**
 * Who an access token speaks for. The token is checked without the database, then user and session are read in one
 * statement on every request, so that ending a session or deactivating a user counts at once.
 * @throws KeywardError `invalid_token`
 */
export async function authenticate(deps: Pick<Deps, 'store' | 'accessTokens'>, token: string): Promise<Principal> {
  const claims = deps.accessTokens.verify(token)
  if (!claims) throw new KeywardError('invalid_token')
  const user = await store.findUserOfLiveSession(deps.store, claims)
  if (!user) throw new KeywardError('invalid_token')
  return { userId: claims.userId, sessionId: claims.sessionId, user }
}

/**
 * As `authenticate`, and says so when the token is good but its user is gone.
 * @throws KeywardError `invalid_token`, `user_not_found`
 */
export async function authenticateExisting(
  deps: Pick<Deps, 'store' | 'accessTokens'>,
  token: string,
): Promise<Principal> {
  try {
    return await authenticate(deps, token)
  } catch (error) {
    const claims = deps.accessTokens.verify(token)
    if (claims && !(await findUser(deps, claims.userId))) throw new KeywardError('user_not_found')
    throw error
  }
}
