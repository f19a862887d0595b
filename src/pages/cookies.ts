import { readCookie, setCookie } from '../lib/cookies.ts'
import { isLoopback } from '../lib/ip.ts'

/**
 * The cookies of the pages:
 * - `session`: the browser session.
 * - `form`: a random value, to which forms and sealed requests are bound. It is there before a login.
 * - `device`: the device token, with which a login counts as one of a known device.
 * - `second`: the `mfa_token` of a login that waits for a second factor.
 * - `trusted`: the token of a trusted device, on which a login with the password does not ask for the second factor.
 * - `social-…`: one login with another provider.
 */
export type CookieName = 'session' | 'form' | 'device' | 'second' | 'trusted' | `social-${string}`

/** A cookie that an answer sets. */
export interface CookieChange {
  name: CookieName
  /** Null deletes the cookie. */
  value: string | null
  /** How long the browser keeps the cookie. Undefined: until the browser is closed. */
  maxAgeSeconds?: number | undefined
}

export interface Cookies {
  /** Returns the value of a cookie of a request; undefined when the request does not have it. */
  read(request: Request, name: CookieName): string | undefined
  /** Makes the `Set-Cookie` header of a change. */
  header(change: CookieChange): string
}

/**
 * Returns true when the pages may use cookies: with https, or on this machine. Over plain http anybody in the network
 * could read them.
 */
export function mayUseCookies(publicUrl: string): boolean {
  const { protocol, hostname } = new URL(publicUrl)
  return protocol === 'https:' || isLoopback(hostname)
}

/**
 * Makes the reader and the writer of cookies. With https their names begin with `__Host-`: a browser accepts such a name
 * only with Secure, for the whole host, and from this host alone. Over http on a loopback address there is neither the
 * prefix nor Secure, because some browsers ignore such cookies there.
 */
export function createCookies(publicUrl: string): Cookies {
  const isSecure = new URL(publicUrl).protocol === 'https:'
  const full = (name: CookieName) => `${isSecure ? '__Host-' : ''}keyward${name === 'session' ? '' : `-${name}`}`
  return {
    read: ({ headers }, name) => readCookie(headers.get('cookie'), full(name)),
    header({ name, value, maxAgeSeconds }) {
      const kept = value === null ? { value: '', maxAgeSeconds: 0 } : { value, maxAgeSeconds }
      return setCookie({ name: full(name), ...kept, isSecure })
    },
  }
}
