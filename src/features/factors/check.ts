import { KeywardError } from '../../errors.ts'
import type { FactorAnswer, FactorProof, FactorsNeeds } from './factors.ts'
import { useRecoveryCode } from './recovery-codes.ts'
import { useTotp } from './use-totp.ts'

/** See `Factors.check`. */
export async function check(
  needs: FactorsNeeds,
  { userId }: { userId: number; ip: string; challenge?: string },
  answer: FactorAnswer,
): Promise<FactorProof | undefined> {
  if ('otp' in answer) {
    const used = await useTotp(needs, { userId, code: answer.otp })
    return used && { method: 'totp', factorId: used.factorId, amr: ['otp'] }
  }
  if ('recoveryCode' in answer) {
    const used = await useRecoveryCode(needs, { userId, code: answer.recoveryCode })
    return used && { method: 'recovery_code', amr: ['recovery'] }
  }
  throw new KeywardError('webauthn_failed')
}
