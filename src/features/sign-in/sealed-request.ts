import { type EpochMs, HOUR } from '../../lib/clock.ts'
import { fromBase64Url, toBase64Url, utf8 } from '../../lib/encoding.ts'
import { constantTimeEqual, hmacSha256, sha256 } from '../../lib/hash.ts'
import { isRandomId } from '../../lib/random.ts'
import type { MacKeys } from '../secrets/secrets.ts'
import type { SignInRequest } from './sign-in.ts'

/** How long a sealed request is good, in milliseconds. */
const LIFETIME = HOUR

/**
 * The longest sealed request that is read: the query of an authorization request has at most 4 KiB (oidc.md O22), and
 * base64url adds a third.
 */
const MAX_LENGTH = 12_000

export interface SealedRequests {
  /** Makes a text out of a request. Nobody without the key can make or change one. */
  seal(request: SignInRequest, from: { formCookie: string; now: EpochMs }): string
  /**
   * Reads such a text.
   * @returns undefined when the text was not made for this browser. `isOver` is true an hour after the sealing
   */
  open(
    text: string,
    from: { formCookie: string | undefined; now: EpochMs },
  ): { request: SignInRequest; isOver: boolean } | undefined
  /** A text for the hidden field of a form, as long good as the form cookie. */
  formToken(formCookie: string): string
  isFormToken(text: string, formCookie: string | undefined): boolean
}

/**
 * Seals the requests for which people sign in, so that no row is stored for a stranger. A sealed request is
 * `payload.mac`. The MAC also covers the SHA-256 of the form cookie: a form that somebody else opened cannot be sent in
 * this browser, which would sign it in to an account of a stranger (login CSRF).
 */
export function createSealedRequests(macKeys: () => MacKeys): SealedRequests {
  const macOf = (key: Uint8Array, kind: 'request' | 'form', payload: string, formCookie: string) =>
    hmacSha256(key, `${kind}\n${toBase64Url(sha256(formCookie))}\n${payload}`)
  const isMac = (mac: string, kind: 'request' | 'form', payload: string, formCookie: string) => {
    const given = fromBase64Url(mac)
    return (
      given !== undefined && macKeys().some((key) => constantTimeEqual(macOf(key, kind, payload, formCookie), given))
    )
  }
  return {
    seal(request, { formCookie, now }) {
      const payload = toBase64Url(utf8(JSON.stringify({ ...request, until: now + LIFETIME })))
      return `${payload}.${toBase64Url(macOf(macKeys()[0], 'request', payload, formCookie))}`
    },
    open(text, { formCookie, now }) {
      const [payload = '', mac = '', ...more] = text.length > MAX_LENGTH ? [] : text.split('.')
      if (formCookie === undefined || more.length > 0 || !isMac(mac, 'request', payload, formCookie)) return undefined
      const { until, ...request } = JSON.parse(Buffer.from(payload, 'base64url').toString()) as SignInRequest & {
        until: EpochMs
      }
      return { request, isOver: now > until }
    },
    formToken: (formCookie) => toBase64Url(macOf(macKeys()[0], 'form', '', formCookie)),
    isFormToken: (text, formCookie) => formCookie !== undefined && isMac(text, 'form', '', formCookie),
  }
}

/** Returns true for a value that Keyward gave the form cookie. */
export const isFormCookie = isRandomId
