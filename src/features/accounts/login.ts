import { KeywardError } from '../../errors.ts'
import type { LoginGrant, Origin } from '../sessions/sessions.ts'
import type { AccountsNeeds } from './accounts.ts'
import { verifyPassword } from './credentials.ts'
import { reserveGuess } from './guess-limits.ts'

export interface Login {
  /** Username or email address. */
  identifier: string
  password: string
  /** The token that an earlier login on this device was given. */
  deviceToken?: string
  origin: Origin
  /** The network that asks, for limits and the hash gate. */
  client: string
}

export async function logIn(
  needs: AccountsNeeds,
  { identifier, password, deviceToken, origin, client }: Login,
): Promise<LoginGrant> {
  const { store: db, audit, users, sessions } = needs
  const { ip } = origin
  const { user, name } = await users.findAccount(identifier)
  const device = deviceToken === undefined ? undefined : await sessions.readDevice(deviceToken)
  await using reservation = await reserveGuess(needs, { user, name, client, ip, device })
  if (!(await verifyPassword(needs, user, { password, client })) || !user) {
    await reservation.keep()
    await audit.record({ event: 'login.failed', userId: user?.id, ip })
    throw new KeywardError('invalid_credentials')
  }
  const begun = await db.transaction(async () => {
    const session = await sessions.begin({ user, amr: ['pwd'], origin, device: reservation.device })
    await reservation.giveBack()
    return session
  })
  return sessions.finishLogin(begun)
}
