import { toBase64Url } from '../lib/encoding.ts'
import type { Random } from '../lib/random.ts'

/** Safe in a header, a log line, a file name and a URL. */
const safe = /^[A-Za-z0-9._-]{1,128}$/

/**
 * The start of our refresh tokens, of our API keys and of any JWT, and an IPv4 address. The log contains every request id and
 * must contain none of these. An IPv6 address has colons, which are not safe.
 */
const sensitive = /kwr_|(?:^|[._-])(?:kw_|eyJ)|\d{1,3}(?:\.\d{1,3}){3}/

const isAccepted = (supplied: string): boolean => safe.test(supplied) && !sensitive.test(supplied)

/**
 * Makes the function that chooses a request's `X-Request-Id`: the client's own if it is safe (1 to 128 of
 * `A-Z a-z 0-9 . _ -`) and looks like neither a token nor an address, else a new one. New ids are unique across
 * processes, restarts and replicas (72 random bits drawn once) and within a process (a counter). They are not secret:
 * each reveals the next.
 */
export function createRequestIds(random: Random): (supplied: string | null) => string {
  const prefix = toBase64Url(random.bytes(9))
  let made = 0
  return (supplied) => (supplied !== null && isAccepted(supplied) ? supplied : `${prefix}.${(++made).toString(36)}`)
}
