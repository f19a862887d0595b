import { KeywardError, refusalIn } from '../../errors.ts'
import { andThen, type MaybePromise } from '../../lib/maybe-promise.ts'
import { type AccessTokenClaims, OWN_CLIENT } from '../tokens/tokens.ts'
import { roleNames, type User } from '../users/users.ts'
import { isAlive } from './alive.store.ts'
import * as client from './client.store.ts'
import { parseRefreshToken, type RefreshTokens } from './refresh-token.ts'
import type { StoredSession } from './session.ts'
import type { ClientCaller, SessionCaller, SessionsNeeds } from './sessions.ts'
import * as store from './store.ts'

export const authenticate = (needs: SessionsNeeds, token: string): MaybePromise<SessionCaller> =>
  andThen(needs.tokens.verifyFresh(token), (claims) => {
    if (claims?.clientId !== OWN_CLIENT) return refuse(needs, token, claims)
    return andThen(findCaller(needs, claims), (caller) => {
      if (!caller) throw new KeywardError('invalid_token')
      return caller
    })
  })

/** See `Sessions.authenticateClient`. */
export const authenticateClient = (needs: SessionsNeeds, token: string): MaybePromise<ClientCaller> =>
  andThen(needs.tokens.verifyFresh(token), (claims) => {
    if (!claims) return refuse(needs, token, undefined)
    if (claims.clientId === OWN_CLIENT) return refuseOwn(needs, claims)
    const { clientId, scope = '', userId, sessionId, generation, acr } = claims
    const by = { userId, sessionId, clientId, now: needs.clock.now() }
    return andThen(client.findUserOfLive(needs.store, by), (found) => {
      if (!found) return refuse(needs, token, undefined)
      return andThen(needs.factors.atLevel(found.user, acr), (user) => {
        if (found.requiredRole !== null && !roleNames(user).includes(found.requiredRole))
          return refuse(needs, token, undefined)
        if (!scope.split(' ').includes('openid')) throw new KeywardError('insufficient_scope')
        const caller: ClientCaller = { kind: 'client', userId, sessionId, user, clientId, scope }
        if (generation <= found.confirmed) return caller
        return confirmGeneration(needs, { userId, sessionId, generation }).then(() => caller)
      })
    })
  })

/** Refuses one of Keyward's own tokens where the token of a client is needed. */
async function refuseOwn(needs: SessionsNeeds, claims: AccessTokenClaims): Promise<never> {
  throw new KeywardError((await findCaller(needs, claims)) ? 'insufficient_scope' : 'invalid_token')
}

export async function authenticateExisting(needs: SessionsNeeds, token: string): Promise<SessionCaller> {
  const claims = await needs.tokens.verifyFresh(token)
  if (claims?.clientId !== OWN_CLIENT) return refuse(needs, token, claims)
  const caller = await findCaller(needs, claims)
  if (caller) return caller
  if (!(await needs.users.find(claims.userId))) throw new KeywardError('user_not_found')
  throw new KeywardError('invalid_token')
}

/**
 * Refuses a token that is not one of Keyward's own. The token of a client is valid, but a client must not act for the
 * user here (RFC 6750 section 3.1).
 * @throws KeywardError `insufficient_scope` for a valid token of a client; otherwise `invalid_token`
 */
async function refuse(
  { tokens, store: db, clock }: SessionsNeeds,
  token: string,
  claims: AccessTokenClaims | undefined,
): Promise<never> {
  const isValid = claims
    ? await store.findUserOfLiveSession(db, { ...claims, now: clock.now() })
    : await tokens.verifyService(token)
  throw new KeywardError(isValid ? 'insufficient_scope' : 'invalid_token')
}

/**
 * See `Sessions.findCaller`. The first use of a generation is recorded before the request is answered, because the
 * record ends the retry window of the previous refresh token.
 */
export const findCaller = (
  needs: SessionsNeeds,
  { userId, sessionId, generation, authTime, acr }: AccessTokenClaims,
): MaybePromise<SessionCaller | undefined> =>
  andThen(store.findUserOfLiveSession(needs.store, { userId, sessionId, now: needs.clock.now() }), (found) => {
    if (!found) return undefined
    const caller: SessionCaller = { kind: 'session', userId, sessionId, authTime, acr, user: found.user }
    if (generation <= found.confirmed) return caller
    return confirmGeneration(needs, { userId, sessionId, generation }).then(() => caller)
  })

/** A session, alive or not, that was found by a refresh token. */
export interface TokenSession {
  session: StoredSession
  user: User
  tokens: RefreshTokens
  /** The generation of the refresh token. `session.generation` differs when the token is not the current one. */
  generation: number
}

/**
 * Finds the session of a genuine refresh token, whichever generation the token has.
 * @returns undefined for a text that is not a genuine refresh token, and when the session is not stored any more
 */
export async function findTokenSession(
  { store: db, refreshTokensOf }: SessionsNeeds,
  text: string,
): Promise<TokenSession | undefined> {
  const token = parseRefreshToken(text)
  const found = token && (await store.findWithUser(db, token.sessionId))
  if (!found) return undefined
  const tokens = refreshTokensOf(found.session)
  return tokens.isGenuine(token) ? { ...found, tokens, generation: token.generation } : undefined
}

/**
 * See `Sessions.findByRefreshToken`. The call counts as a use of the generation, because a service can only ask about a
 * token that a client has received.
 */
export async function findByRefreshToken(needs: SessionsNeeds, text: string): Promise<TokenSession | undefined> {
  const found = await findTokenSession(needs, text)
  if (!found || !isAlive(found, needs.clock.now()) || found.generation !== found.session.generation) return undefined
  const { id: sessionId, userId, generation, confirmedGeneration } = found.session
  if (generation > confirmedGeneration) await confirmGeneration(needs, { userId, sessionId, generation })
  return found
}

/**
 * Records that a client has used this generation. The record ends the retry window of the previous refresh token.
 *
 * When the database accepts no writes (for example, the disk is full), the request succeeds without this record, and
 * the next use of the generation writes the record. Until then, a thief with the previous refresh token can get the
 * same successor as the owner. The theft is detected when both the thief and the owner refresh with this successor.
 */
async function confirmGeneration(
  { store: db }: SessionsNeeds,
  generation: { userId: number; sessionId: string; generation: number },
): Promise<void> {
  try {
    await store.confirm(db, generation)
  } catch (error) {
    if (refusalIn(error)?.status !== 503) throw error
  }
}
