import { toBase64Url } from '../lib/encoding.ts'
import type { Random } from '../lib/random.ts'

/** Safe in a header, a log line, a file name and a URL, whatever reads it later. */
const sane = /^[A-Za-z0-9._-]{1,128}$/

/**
 * How our refresh tokens and API keys begin, and any JWT; and an IPv4 address. The log, which has every id, may hold
 * none of them. An IPv6 address has colons, which are not sane.
 */
const telling = /kwr_|(?:^|[._-])(?:kw_|eyJ)|\d{1,3}(?:\.\d{1,3}){3}/

const isTakenOver = (supplied: string): boolean => sane.test(supplied) && !telling.test(supplied)

/**
 * Makes the function that answers a request's `X-Request-Id`: the caller's own if it is sane (1 to 128 of
 * `A-Z a-z 0-9 . _ -`) and looks like neither a token nor an address, else a new one. New ones are unique across
 * processes, restarts and replicas (72 random bits drawn once) and within a process (a counter). They are no secret:
 * whoever knows one can guess the next.
 */
export function createRequestIds(random: Random): (supplied: string | null) => string {
  const prefix = toBase64Url(random.bytes(9))
  let minted = 0
  return (supplied) => (supplied !== null && isTakenOver(supplied) ? supplied : `${prefix}.${(++minted).toString(36)}`)
}
