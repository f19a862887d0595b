import { KeywardError } from '../../errors.ts'
import { rightPassword } from '../limits/limits.ts'
import type { Asked, BegunSession, LoginGrant, NewLogin, Origin } from '../sessions/sessions.ts'
import type { AccountsNeeds } from './accounts.ts'
import { type SignedIn, signedIn } from './login.ts'

export interface PasskeyLogin {
  /** The answer of the browser: an AuthenticationResponseJSON of WebAuthn. */
  response: unknown
  /** The device token of an earlier login on this device. */
  deviceToken?: string
  asked?: Asked
  origin: Origin
  /** The client's network, for limits. */
  client: string
}

/** A login with a passkey on the page to sign in. */
export interface BrowserPasskeyLogin extends Omit<PasskeyLogin, 'asked'> {
  browser: NonNullable<NewLogin['browser']>
}

/** See `Accounts.logInWithPasskey`. */
export const logInWithPasskey = async (needs: AccountsNeeds, { asked, ...login }: PasskeyLogin): Promise<LoginGrant> =>
  needs.sessions.finishLogin(await begin(needs, login), asked)

/** See `Accounts.logInWithPasskeyInBrowser`. */
export const logInWithPasskeyInBrowser = async (needs: AccountsNeeds, login: BrowserPasskeyLogin): Promise<SignedIn> =>
  signedIn(needs, await begin(needs, login))

/**
 * Checks the passkey, and begins a session. A wrong answer counts for the network only: nobody guesses a signature, so a
 * limit of the account would help nobody but those who want to lock its owner out.
 */
async function begin(
  needs: AccountsNeeds,
  { response, deviceToken, origin, client, browser }: Omit<PasskeyLogin, 'asked'> & Partial<BrowserPasskeyLogin>,
): Promise<BegunSession> {
  const { audit, users, factors, limits, sessions } = needs
  const { ip } = origin
  let userId: number | undefined
  await using place = await limits.reserve([{ rule: 'passkey.prefix', key: client }], { ip })
  try {
    const opened = await factors.openPasskey({ response, ip })
    userId = opened.userId
    // Read before the passkey is proved: whoever removes it raises the epoch of the user, and the login is refused.
    const user = await users.find(userId)
    if (!user) throw new KeywardError('unknown_passkey')
    const right = rightPassword(userId, client)
    limits.refuseKnown(right)
    const proof = await factors.provePasskey({ ...opened, ip })
    const token = deviceToken === undefined ? undefined : sessions.readDeviceNow(deviceToken)
    const device = token && (await sessions.findDevice(token, user))
    const begun = await limits.commitCounted(right, { userId, ip }, async () => {
      const session = await sessions.begin({ user, amr: proof.amr, origin, device, browser })
      await place.giveBack()
      return session
    })
    // A passkey shows both factors, so no other is due.
    return await sessions.requireSession(begun)
  } catch (error) {
    const code = error instanceof KeywardError ? error.code : undefined
    if (code !== undefined && refusals.includes(code)) place.keep()
    if (code !== 'invalid_credentials') throw error
    await audit.record({ event: 'login.failed', userId, ip, details: { method: 'passkey', reason: 'inactive' } })
    throw new KeywardError('invalid_passkey')
  }
}

const refusals: readonly string[] = ['invalid_passkey', 'unknown_passkey', 'invalid_credentials']
