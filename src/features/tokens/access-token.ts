import { SECOND } from '../../lib/clock.ts'
import type { MaybePromise } from '../../lib/maybe-promise.ts'
import { randomId } from '../../lib/random.ts'
import { checkClaims } from './claims.ts'
import { createIdTokens } from './id-token.ts'
import { sign, verify } from './jws.ts'
import { isLevel, levelOf } from './level.ts'
import { createProxyTokens } from './proxy-token.ts'
import {
  type AccessTokenClaims,
  type AccessTokens,
  type AccessTokensNeeds,
  OWN_CLIENT,
  type ServiceTokenClaims,
} from './tokens.ts'
import { createVerifiedCache } from './verified-cache.ts'

/** See `createAccessTokens` of `tokens.ts`. */
export function accessTokens(needs: AccessTokensNeeds): AccessTokens {
  const { signingKeys, rsaSigner, clock, random, settings } = needs
  const { issuer, lifetime } = settings
  const compat = settings.compat === 'fastapi'
  const typ = compat ? 'JWT' : 'at+jwt'
  const audience = compat ? undefined : (settings.audience ?? issuer)
  const carried = new Set(settings.claims)
  const cache = createVerifiedCache<AccessTokenClaims>()
  signingKeys.onDrop(cache.dropKey)
  const mintProxyToken = createProxyTokens({ signingKeys, clock, random, issuer })

  const forClients = `${issuer}/userinfo`
  const ownAudiences = audience === undefined ? [] : [audience]

  function readClaims(payload: Record<string, unknown>): AccessTokenClaims | undefined {
    const { sub, uid, sid, gen, auth_time: authTime, acr, client_id: clientId, aud, scope } = payload
    const userId = compat ? uid : typeof sub === 'string' && /^[1-9]\d{0,15}$/.test(sub) ? Number(sub) : undefined
    if (typeof userId !== 'number' || !Number.isSafeInteger(userId) || typeof sid !== 'string') return undefined
    if (typeof gen !== 'number' || !Number.isSafeInteger(gen) || gen < 0) return undefined
    return {
      userId,
      sessionId: sid,
      generation: gen,
      // A token without `auth_time` gets the time 0, so that no route accepts the token as proof of a recent login.
      authTime: typeof authTime === 'number' ? authTime * SECOND : 0,
      // Tokens of versions before 0.3.0 have no `acr`.
      acr: isLevel(acr) ? acr : 'aal1',
      clientId: clientId === OWN_CLIENT ? OWN_CLIENT : String(clientId),
      scope: typeof scope === 'string' ? scope : undefined,
      // Nearly all tokens share one array.
      audiences: aud === audience ? ownAudiences : audiencesOf(aud),
    }
  }

  /** Finds keys for `verify`, and calls `onUnknownKey` when a token names a key that this process does not know. */
  const finding = (onUnknownKey: (() => void) | undefined) => (kid: string | undefined) => {
    const key = signingKeys.find(kid)
    if (key === undefined && kid !== undefined) onUnknownKey?.()
    return key
  }

  function verifyToken(token: string, onUnknownKey?: () => void): AccessTokenClaims | undefined {
    const now = clock.now()
    const known = cache.get(token, now)
    if (known) return known.claims
    const jws = verify(token, finding(onUnknownKey), { typ })
    if (!jws) return undefined
    const { client_id: clientId } = jws.payload
    // With JWT_COMPAT=fastapi there are no clients.
    const expected = clientId === OWN_CLIENT || compat ? audience : forClients
    const times =
      typeof clientId === 'string' ? checkClaims(jws.payload, { issuer, audience: expected, now }) : undefined
    const claims = times && readClaims(jws.payload)
    if (!claims) return undefined
    cache.set(token, {
      claims,
      kid: jws.header.kid ?? '',
      notBefore: (times.nbf ?? 0) * SECOND,
      expiresAt: times.exp * SECOND,
    })
    return claims
  }

  function verifyServiceToken(token: string, onUnknownKey?: () => void): ServiceTokenClaims | undefined {
    if (compat || !mayBeService(token)) return undefined
    const payload = verify(token, finding(onUnknownKey), { typ })?.payload
    if (!payload) return undefined
    const { sub, client_id: clientId, sid, aud, scope } = payload
    const [first] = audiencesOf(aud)
    if (sid !== undefined || typeof clientId !== 'string' || sub !== clientId || first === undefined) return undefined
    if (!checkClaims(payload, { issuer, audience: first, now: clock.now() })) return undefined
    return { clientId, scope: typeof scope === 'string' ? scope : undefined, audiences: audiencesOf(aud) }
  }

  /** Verifies again after the keys were read from the database when the first try met an unknown key. */
  function freshly<T>(token: string, work: (token: string, onUnknownKey?: () => void) => T): MaybePromise<T> {
    let unknown = false
    const claims = work(token, () => {
      unknown = true
    })
    return unknown ? signingKeys.reload().then(() => work(token)) : claims
  }

  const read = (token: string): Record<string, unknown> | undefined =>
    (verifyToken(token) ?? verifyServiceToken(token)) ? payloadOf(token) : undefined

  /** Signs the claims that all access tokens have, and `claims`. */
  const mintToken = (sub: string, aud: string | readonly string[] | undefined, claims: object) => {
    const iat = Math.floor(clock.now() / SECOND)
    const all = { iss: issuer, sub, aud, exp: iat + lifetime / SECOND, iat, jti: randomId(random), ...claims }
    return { token: sign(signingKeys.signing(), all, typ), expiresIn: lifetime / SECOND }
  }

  return {
    ...createIdTokens({ signingKeys, rsaSigner, clock, random, issuer, lifetime: settings.idTokenLifetime }),

    mint: (subject) =>
      // `JSON.stringify` in `sign` omits the undefined members.
      mintToken(compat ? subject.username : String(subject.userId), audience, {
        uid: compat ? subject.userId : undefined,
        sid: subject.sessionId,
        gen: subject.generation,
        client_id: OWN_CLIENT,
        username: carried.has('username') ? subject.username : undefined,
        email: carried.has('email') ? subject.email : undefined,
        email_verified: carried.has('email_verified') ? subject.emailVerified : undefined,
        roles: carried.has('roles') ? subject.roles : undefined,
        amr: subject.amr,
        acr: levelOf(subject.amr),
        scope: subject.scope,
        auth_time: Math.floor(subject.authTime / SECOND),
      }),

    mintForClient: ({ userId, sessionId, generation, clientId, scope, resources, amr, authTime, ...user }) =>
      mintToken(String(userId), resources.length === 0 ? forClients : [forClients, ...resources], {
        sid: sessionId,
        gen: generation,
        client_id: clientId,
        username: user.username,
        email: user.email,
        email_verified: user.emailVerified,
        roles: user.roles,
        amr,
        acr: levelOf(amr),
        scope,
        auth_time: Math.floor(authTime / SECOND),
      }),

    mintForService: ({ clientId, scope, resources }) =>
      mintToken(clientId, resources.length > 1 ? resources : (resources[0] ?? `${issuer}/introspect`), {
        client_id: clientId,
        scope: scope === '' ? undefined : scope,
      }),

    verifyFresh: (token) => freshly(token, verifyToken),

    verifyService: (token) => freshly(token, verifyServiceToken),

    read,

    mintForProxy(shown, subject) {
      const exp = compat ? undefined : read(shown)?.exp
      return typeof exp === 'number' ? mintProxyToken(shown, exp, subject) : undefined
    },
  }
}

const payloadOf = (token: string): Record<string, unknown> =>
  JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString()) as Record<string, unknown>

const audiencesOf = (aud: unknown): readonly string[] =>
  typeof aud === 'string' ? [aud] : Array.isArray(aud) ? aud.filter((one) => typeof one === 'string') : []

/**
 * Returns false for a token that `mintForService` cannot have signed, without a verification, which a token of garbage
 * would cost a second time otherwise. The `sub` of such a token is the id of a client.
 */
const mayBeService = (token: string): boolean =>
  Buffer.from(token.split('.', 2)[1] ?? '', 'base64url').includes('"sub":"kwa_')
