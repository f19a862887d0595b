import type { CookieChange } from './cookies.ts'

/** Where the browser goes next, as an answer of its own (303). */
export interface Next {
  /** A path of Keyward, such as `/account`, or an absolute address that the caller has checked, such as a client's. */
  next: string
  cookies?: readonly CookieChange[]
}

/**
 * The schemes that a redirect never leads to: a browser could run them as a script, open a file, or start another
 * program with them.
 */
const refused = /^(?:javascript|data|vbscript|blob|file|filesystem|about|view-source|mailto|tel|wss?|intent):$/

/**
 * Returns an address for `Location`, spelled as it is given. It is the last check of every redirect to another site.
 * @throws Error for an address without a scheme, or with one that a redirect never leads to; this is a defect
 */
export function checkedAddress(address: string): string {
  if (!URL.canParse(address) || refused.test(new URL(address).protocol)) throw new Error('No address for a redirect')
  return address
}
