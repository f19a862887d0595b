import { KeywardError } from '../../errors.ts'
import { choosePassword } from './new-password.ts'
import { findByToken } from './shown.ts'
import type { VerificationNeeds } from './verification.ts'

export interface PasswordReset {
  token: string
  password: string
  /** The client's network, for the hash gate. */
  client: string
  ip: string
}

export async function resetPassword(needs: VerificationNeeds, { token, ...chosen }: PasswordReset): Promise<void> {
  const found = await findByToken(needs, 'reset_password', token)
  if (!found) throw new KeywardError('invalid_or_expired')
  await choosePassword(needs, { ...found, ...chosen, field: 'password' })
}
