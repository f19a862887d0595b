import { toBase64Url } from '../lib/encoding.ts'
import type { Random } from '../lib/random.ts'

/** Matches an id of characters that are safe in a header, a log line, a file name and a URL. */
const safe = /^[A-Za-z0-9._-]{1,128}$/

/**
 * Matches an id that contains an IPv4 address, or the start of a refresh token (`kwr_`), an API key (`kw_`) or a JWT
 * (`eyJ`). Every request id is logged, and the log must not contain tokens, keys or addresses of clients. An IPv6
 * address has colons, which `safe` does not allow.
 */
const sensitive = /kwr_|(?:^|[._-])(?:kw_|eyJ)|\d{1,3}(?:\.\d{1,3}){3}/

const isAccepted = (supplied: string): boolean => safe.test(supplied) && !sensitive.test(supplied)

/**
 * Returns a function that chooses the `X-Request-Id` of a request. The function uses the client's own id when this id
 * has 1 to 128 of `A-Z a-z 0-9 . _ -` and does not look like a token or an address. Otherwise it makes a new id.
 *
 * New ids are unique across processes, restarts and replicas (72 random bits for each process) and within a process (a
 * counter). The ids are not secret: from one id, anyone can guess the next id.
 */
export function createRequestIds(random: Random): (supplied: string | null) => string {
  const prefix = toBase64Url(random.bytes(9))
  let made = 0
  return (supplied) => (supplied !== null && isAccepted(supplied) ? supplied : `${prefix}.${(++made).toString(36)}`)
}
