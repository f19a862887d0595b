import type { BegunSession, Sessions } from '../features/sessions/sessions.ts'
import { DAY, SECOND } from '../lib/clock.ts'
import type { CookieChange } from './cookies.ts'

/** How long a browser keeps the device token. The token expires then. */
const DEVICE_DAYS = 180

export const deviceCookie = (value: string): CookieChange => ({
  name: 'device',
  value,
  maxAgeSeconds: DEVICE_DAYS * (DAY / SECOND),
})

/** @param rememberDays REMEMBER_ME_DAYS for a login that is remembered; 0 for one that ends with the browser */
export const sessionCookie = (value: string, rememberDays: number): CookieChange => ({
  name: 'session',
  value,
  maxAgeSeconds: rememberDays > 0 ? (rememberDays * DAY) / SECOND : undefined,
})

/** The cookies of a browser session that has just begun. The login that waited for it is over. */
export async function cookiesOf(
  sessions: Pick<Sessions, 'cookieOf' | 'makeDeviceToken'>,
  begun: BegunSession,
  rememberDays: number,
): Promise<CookieChange[]> {
  return [
    sessionCookie(sessions.cookieOf(begun), begun.session.isRemembered ? rememberDays : 0),
    deviceCookie(await sessions.makeDeviceToken(begun)),
    { name: 'second', value: null },
  ]
}
