import type { FactorAnswer, FactorProof, FactorsNeeds } from './factors.ts'
import { useRecoveryCode } from './recovery-codes.ts'
import { removeAllTrusted } from './trusted.ts'
import { usePasskey } from './use-passkey.ts'
import { useTotp } from './use-totp.ts'

/** Who shows a second factor, and where. */
export interface FactorShown {
  userId: number
  ip: string
  /** The session of a step-up; undefined at a login. */
  sessionId?: string
  /** The challenge that was used up, for an answer with `webauthn`. */
  challenge?: string | undefined
}

/** See `Factors.check`. */
export async function check(
  needs: FactorsNeeds,
  { userId, ip, sessionId, challenge }: FactorShown,
  answer: FactorAnswer,
): Promise<FactorProof | undefined> {
  const { audit, mails } = needs
  if ('otp' in answer) {
    const used = await useTotp(needs, { userId, code: answer.otp })
    return used && { method: 'totp', factorId: used.factorId, amr: ['otp'] }
  }
  if ('recoveryCode' in answer) {
    const used = await useRecoveryCode(needs, { userId, code: answer.recoveryCode })
    if (!used) return undefined
    await audit.record({ event: 'recovery_code.used', userId, sessionId, ip, details: { left: used.left } })
    // Whoever needs a recovery code has lost a device, perhaps to somebody else.
    await removeAllTrusted(needs, { by: { userId, sessionId, ip }, reason: 'recovery_code_used' })
    await mails.notify('recovery_code_used', userId, { ip, left: String(used.left) })
    return { method: 'recovery_code', amr: ['recovery'] }
  }
  return usePasskey(needs, { userId, ip, sessionId, challenge }, answer.webauthn)
}
