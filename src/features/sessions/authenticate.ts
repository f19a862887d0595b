import { KeywardError } from '../../errors.ts'
import { andThen, type MaybePromise } from '../../lib/maybe-promise.ts'
import type { AccessTokenClaims } from '../tokens/tokens.ts'
import { confirmGeneration } from './confirm.ts'
import type { SessionCaller, SessionsNeeds } from './sessions.ts'
import * as store from './store.ts'

export const authenticate = (needs: SessionsNeeds, token: string): MaybePromise<SessionCaller> =>
  andThen(needs.tokens.verifyFresh(token), (claims) =>
    andThen(claims && findCaller(needs, claims), (caller) => {
      if (!caller) throw new KeywardError('invalid_token')
      return caller
    }),
  )

export async function authenticateExisting(needs: SessionsNeeds, token: string): Promise<SessionCaller> {
  const claims = await needs.tokens.verifyFresh(token)
  const caller = claims && (await findCaller(needs, claims))
  if (caller) return caller
  if (claims && !(await needs.users.find(claims.userId))) throw new KeywardError('user_not_found')
  throw new KeywardError('invalid_token')
}

/** Records the first use of a generation before anything is answered: from then on its parent cannot be retried. */
export const findCaller = (
  needs: SessionsNeeds,
  { userId, sessionId, generation }: AccessTokenClaims,
): MaybePromise<SessionCaller | undefined> =>
  andThen(store.findUserOfLiveSession(needs.store, { userId, sessionId, now: needs.clock.now() }), (found) => {
    if (!found) return undefined
    const caller: SessionCaller = { kind: 'session', userId, sessionId, user: found.user }
    if (generation <= found.seen) return caller
    return confirmGeneration(needs, { sessionId, generation }).then(() => caller)
  })
