import { KeywardError } from '../../errors.ts'
import { andThen, type MaybePromise } from '../../lib/maybe-promise.ts'
import type { Deps } from '../../service.ts'
import type { AccessTokenClaims } from '../tokens/tokens.ts'
import { findUser } from '../users/find.ts'
import type { User } from '../users/user.ts'
import { noteSight } from './first-sight.ts'
import * as store from './store.ts'

/** A person who sent the access token of a session. */
export interface SessionCaller {
  kind: 'session'
  userId: number
  sessionId: string
  user: User
}

type AuthenticateDeps = Pick<Deps, 'store' | 'clock' | 'accessTokens'>

/**
 * Who an access token speaks for. The token is checked without the database, then user and session are read in one
 * statement on every request, so that ending a session or deactivating a user counts at once.
 * @throws KeywardError `invalid_token`
 */
export const authenticate = (deps: AuthenticateDeps, token: string): MaybePromise<SessionCaller> =>
  andThen(deps.accessTokens.verifyFresh(token), (claims) =>
    andThen(claims && findPrincipal(deps, claims), (principal) => {
      if (!principal) throw new KeywardError('invalid_token')
      return principal
    }),
  )

/**
 * As `authenticate`, and says so when the token is good but its user is gone.
 * @throws KeywardError `invalid_token`, `user_not_found`
 */
export async function authenticateExisting(deps: AuthenticateDeps, token: string): Promise<SessionCaller> {
  const claims = await deps.accessTokens.verifyFresh(token)
  const principal = claims && (await findPrincipal(deps, claims))
  if (principal) return principal
  if (claims && !(await findUser(deps, claims.userId))) throw new KeywardError('user_not_found')
  throw new KeywardError('invalid_token')
}

/**
 * Who verified claims speak for, if user and session are alive. The first sight of a generation is noted, before
 * anything is answered: from then on its parent is no longer an honest retry (see `refresh`).
 */
export const findPrincipal = (
  deps: Pick<Deps, 'store' | 'clock'>,
  { userId, sessionId, generation }: AccessTokenClaims,
): MaybePromise<SessionCaller | undefined> =>
  andThen(store.findUserOfLiveSession(deps.store, { userId, sessionId, now: deps.clock.now() }), (found) => {
    if (!found) return undefined
    const principal: SessionCaller = { kind: 'session', userId, sessionId, user: found.user }
    return generation > found.seen ? noteSight(deps, { sessionId, generation }).then(() => principal) : principal
  })
