import type { SignedIn } from '../features/accounts/accounts.ts'
import type { BegunSession, Sessions } from '../features/sessions/sessions.ts'
import { DAY, SECOND } from '../lib/clock.ts'
import type { CookieChange } from './cookies.ts'
import type { Visit } from './pages.tsx'

/** How long a browser keeps the device token. The token expires then. */
const DEVICE_DAYS = 180

/** @param rememberDays REMEMBER_ME_DAYS; a session that is not remembered ends with the browser */
export const sessionCookie = (
  { cookie, isRemembered }: Pick<SignedIn, 'cookie' | 'isRemembered'>,
  rememberDays: number,
): CookieChange => ({
  name: 'session',
  value: cookie,
  maxAgeSeconds: isRemembered ? (rememberDays * DAY) / SECOND : undefined,
})

/**
 * The cookies of a browser session that has just begun. A login that waited for its second factor is over then. That of a
 * trusted device is set once, with its end, and no login moves the end.
 */
export const cookiesOf = (
  visit: Pick<Visit, 'cookie'>,
  signedIn: Omit<SignedIn, 'userId'>,
  rememberDays: number,
): CookieChange[] => [
  sessionCookie(signedIn, rememberDays),
  { name: 'device', value: signedIn.deviceToken, maxAgeSeconds: DEVICE_DAYS * (DAY / SECOND) },
  ...(signedIn.trusted === undefined
    ? []
    : [{ name: 'trusted', value: signedIn.trusted.token, maxAgeSeconds: signedIn.trusted.expiresIn } as const]),
  ...(visit.cookie('second') === undefined ? [] : [{ name: 'second', value: null } as const]),
]

/** As `cookiesOf`, for a session that no use case of accounts has begun. */
export async function cookiesOfBegun(
  visit: Pick<Visit, 'cookie'>,
  sessions: Pick<Sessions, 'cookieOf' | 'makeDeviceToken'>,
  begun: BegunSession,
  rememberDays: number,
): Promise<CookieChange[]> {
  const deviceToken = await sessions.makeDeviceToken(begun)
  const { isRemembered } = begun.session
  return cookiesOf(visit, { cookie: sessions.cookieOf(begun), deviceToken, isRemembered }, rememberDays)
}
