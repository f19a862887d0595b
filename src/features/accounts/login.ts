import { KeywardError } from '../../errors.ts'
import type { NewTrustedDevice } from '../factors/factors.ts'
import { rightPassword } from '../limits/limits.ts'
import type { HashRequester } from '../passwords/passwords.ts'
import type { Asked, Begun, BegunSession, LoginAnswer, LoginGrant, NewLogin, Origin } from '../sessions/sessions.ts'
import type { UserCredentials } from '../users/users.ts'
import type { AccountsNeeds } from './accounts.ts'
import { reserveGuess } from './guess-limits.ts'

export interface Login {
  /** The username or the email address, as the user typed it. */
  identifier: string
  password: string
  /** The device token of an earlier login on this device. */
  deviceToken?: string
  /** A code of an authenticator app, for an account with a second factor. */
  otp?: string
  /** The token of a trusted device, on which the login does not ask for a second factor. */
  trustedToken?: string
  /** True to trust the device from now on, if `otp` is right and the device may be trusted. */
  trustDevice?: boolean
  asked?: Asked
  origin: Origin
  /** The client's network, for limits and the hash gate. */
  client: string
}

/** A login on the page to sign in. */
export interface BrowserLogin extends Omit<Login, 'asked' | 'otp' | 'trustDevice'> {
  browser: NonNullable<NewLogin['browser']>
}

/** The cookies of a login on the page to sign in. */
export interface SignedIn {
  userId: number
  /** The cookie of the browser session. */
  cookie: string
  deviceToken: string
  /** True when the browser keeps the cookie of the session after it is closed. */
  isRemembered: boolean
  /** The token of the device, when it is trusted from now on. */
  trusted?: NewTrustedDevice
}

export async function logIn(needs: AccountsNeeds, { asked, otp, trustDevice, ...login }: Login): Promise<LoginGrant> {
  const code = otp === undefined ? undefined : { otp, origin: login.origin, trustDevice }
  return needs.sessions.finishLogin(await begin(needs, login), asked, code)
}

export async function logInBrowser(needs: AccountsNeeds, login: BrowserLogin): Promise<SignedIn> {
  return signedIn(needs, await needs.sessions.requireSession(await begin(needs, login)))
}

export async function answerFactor(
  { sessions }: AccountsNeeds,
  login: Omit<LoginAnswer, 'browser'>,
): Promise<LoginGrant> {
  return sessions.finishLogin(await sessions.answerFactor(login))
}

export const answerFactorInBrowser = async (needs: AccountsNeeds, login: LoginAnswer): Promise<SignedIn> =>
  signedIn(needs, await needs.sessions.answerFactor({ ...login, browser: login.browser ?? {} }))

/** The cookies of a session that has begun on a page. */
export async function signedIn({ sessions }: AccountsNeeds, begun: BegunSession): Promise<SignedIn> {
  const deviceToken = await sessions.makeDeviceToken(begun)
  const { isRemembered } = begun.session
  const { trusted, user } = begun
  const cookie = sessions.cookieOf(begun)
  return { userId: user.id, cookie, deviceToken, isRemembered, ...(trusted && { trusted }) }
}

/** Checks the password, and begins a session. Every login with a password takes this path. */
async function begin(
  needs: AccountsNeeds,
  login: Omit<Login, 'asked' | 'otp' | 'trustDevice'> & Partial<BrowserLogin>,
): Promise<Begun> {
  const { audit, users, sessions, limits } = needs
  const { identifier, password, deviceToken, origin, client, browser, trustedToken } = login
  const { ip } = origin
  const { user, name } = await users.findAccount(identifier)
  const right = user && rightPassword(user.id, client)
  // A client that has exhausted the limit of right passwords is refused before another password is hashed.
  if (right) limits.refuseKnown(right)
  const device = deviceToken === undefined ? undefined : await sessions.readDevice(deviceToken)
  await using reservation = await reserveGuess(needs, { user, name, client, ip, device })
  const requester = { client, name: limits.nameKey(name) }
  if (!(await verifyPassword(needs, user, { password, requester })) || !user || !right) {
    await reservation.keep()
    await audit.record({ event: 'login.failed', userId: user?.id, ip })
    throw new KeywardError('invalid_credentials')
  }
  // Awaited here: without `await`, the end of this function would give the reservation back before it is settled.
  return await limits.commitCounted(right, { userId: user.id, ip }, async () => {
    const { device } = reservation
    const session = await sessions.begin({ user, amr: ['pwd'], origin, device, browser, trustedToken })
    await reservation.giveBack()
    return session
  })
}

/**
 * Returns true for the right password of an active account. An unknown account, a wrong password and an inactive
 * account take the same time. After a right password, the stored hash is replaced if its cost, scheme or version
 * is not the current one.
 * @throws KeywardError `overloaded`
 */
async function verifyPassword(
  { users, passwords }: AccountsNeeds,
  user: UserCredentials | undefined,
  { password, requester }: { password: string; requester: HashRequester },
): Promise<boolean> {
  const stored = user && { hash: user.passwordHash, scheme: user.passwordScheme, isOfInactive: !user.isActive }
  const { ok, rehash } = await passwords.verify(password, stored, requester)
  if (!user || !ok) return false
  if (rehash)
    try {
      const { hash, scheme } = await passwords.hash(password, requester)
      // `replacePassword` changes nothing if another request changed the password after `user` was read.
      await users.replacePassword({ id: user.id, verifiedHash: user.passwordHash!, hash, scheme })
    } catch (error) {
      // The login continues after a refusal, such as that of a full hash gate. The next login tries again to replace
      // the hash.
      if (!(error instanceof KeywardError)) throw error
    }
  return true
}
