/**
 * The value of `Location` for a path of Keyward, relative to the path that was asked (RFC 9110 section 10.2.2). So it holds
 * where a proxy serves Keyward under a path of its own, whatever `PUBLIC_URL` is.
 * @param from the path of the request, such as `/register`
 * @param to the path to name, such as `/users/me`
 */
export const locationFrom = (from: string, to: string): string => '../'.repeat(from.split('/').length - 2) + to.slice(1)
