import { SECOND } from '../../lib/clock.ts'
import { toBase64Url } from '../../lib/encoding.ts'
import { hmacSha256, sha256 } from '../../lib/hash.ts'
import type { BrowserSession } from '../sessions/sessions.ts'
import type { AuthorizationRequest } from './authorization-request.ts'
import * as store from './codes.store.ts'
import type { OpenIdNeeds } from './openid.ts'

/** A code has 256 random bits, so nobody guesses one. */
const isCode = (text: string): boolean => /^kwo_[A-Za-z0-9_-]{43}$/.test(text)

const macOf = (key: Uint8Array, code: string): string => toBase64Url(hmacSha256(key, code))

/** The MACs under which a code may be stored; undefined for a text that is no code. */
export const macsOf = ({ secrets }: OpenIdNeeds, code: string): string[] | undefined =>
  isCode(code) ? secrets.macKeys('authorization_code').map((key) => macOf(key, code)) : undefined

/** Makes the code of a request that a user allowed (RFC 6749 section 4.1.2), and stores its MAC. */
export async function issueCode(
  needs: OpenIdNeeds,
  request: AuthorizationRequest,
  { id, user }: BrowserSession,
): Promise<string> {
  const { store: db, clock, random, secrets, lifetimes } = needs
  const now = clock.now()
  const code = `kwo_${toBase64Url(random.bytes(32))}`
  await store.insert(db, {
    mac: macOf(secrets.macKeys('authorization_code')[0], code),
    clientId: request.client.id,
    userId: user.id,
    browserSessionId: id,
    redirectUri: request.redirectUri,
    scope: request.scope,
    resources: JSON.stringify(request.resources),
    nonce: request.nonce ?? null,
    codeChallenge: request.codeChallenge ?? null,
    now,
    expiresAt: now + lifetimes.codeSeconds * SECOND,
  })
  return code
}

/**
 * Compares a verifier with the challenge of a code (RFC 7636 section 4.6). Both have to be there or both missing: a
 * verifier without a challenge shows that somebody removed the challenge from the request (RFC 9700 section 2.1.1).
 */
export function provesChallenge(challenge: string | null, verifier: string | undefined): boolean {
  if (challenge === null || verifier === undefined) return challenge === null && verifier === undefined
  return /^[A-Za-z0-9._~-]{43,128}$/.test(verifier) && toBase64Url(sha256(verifier)) === challenge
}
