/**
 * Returns the value of `Location` for a path of Keyward, relative to the path of the request (RFC 9110 section 10.2.2).
 * A relative value is also correct when a proxy serves Keyward under another path, whatever `PUBLIC_URL` is.
 * @param from the path of the request, such as `/register`
 * @param to the path that the value leads to, such as `/users/me`
 */
export const locationFrom = (from: string, to: string): string => '../'.repeat(from.split('/').length - 2) + to.slice(1)
