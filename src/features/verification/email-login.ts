import { KeywardError } from '../../errors.ts'
import { knownAccount } from '../limits/limits.ts'
import type { Asked, LoginGrant, Origin } from '../sessions/sessions.ts'
import { noteFirstProof } from './first-proof.ts'
import { findShown, type Shown } from './shown.ts'
import type { VerificationNeeds } from './verification.ts'

export interface MailLogin extends Shown {
  /** The device token of an earlier login on this device. */
  deviceToken?: string | null
  asked?: Asked
  origin: Origin
}

export async function logInByMail(needs: VerificationNeeds, login: MailLogin): Promise<LoginGrant> {
  const { store: db, users, sessions, limits, proofs } = needs
  const { deviceToken, asked, origin } = login
  const proof = await findShown(needs, 'log_in', login, origin)
  const holder = await proofs.findHolder(proof)
  if (!holder) throw new KeywardError('invalid_or_expired')
  const userId = holder.id
  const token = typeof deviceToken === 'string' ? await sessions.readDevice(deviceToken) : undefined
  const known = token && (await sessions.findDevice(token, holder))
  const begun = await db.transaction(
    async () => {
      const redeemed = await proofs.redeem(proof)
      if (!redeemed || redeemed === 'none') throw new KeywardError('invalid_or_expired')
      const isFirst = await noteFirstProof(needs, { userId, ip: origin.ip })
      if (isFirst) await users.dropPassword(userId)
      await limits.refill(knownAccount(userId))
      const user = isFirst ? await users.find(userId) : redeemed
      if (!user) throw new KeywardError('invalid_or_expired')
      return sessions.begin({ user, amr: ['email'], origin, ...(!isFirst && known && { device: known }) })
    },
    { userId },
  )
  return sessions.finishLogin(begun, asked)
}
