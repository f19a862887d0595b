import { type FieldError, KeywardError, MISSING } from '../../errors.ts'
import type { FactorAnswer } from '../factors/factors.ts'

/**
 * Reads what a person has entered or the browser has answered. Spaces, hyphens and full-width digits are read as the
 * digits that were meant.
 * @throws KeywardError `validation_failed` for an empty field; `invalid_code` or `webauthn_failed` for a text that cannot
 *   be an answer, which is not counted as a wrong one
 */
export function readAnswer(input: Readonly<Record<string, string>>): FactorAnswer {
  const { way, otp = '', recovery_code: recoveryCode = '', credential = '' } = input
  if (way === 'webauthn') return { webauthn: readCredential(credential) }
  if (way === 'totp') return { otp: readCode(otp, 'otp') }
  if (recoveryCode.trim() === '') throw missing('recovery_code')
  return { recoveryCode: recoveryCode.normalize('NFKC').trim() }
}

/**
 * Reads six digits of a form.
 * @throws KeywardError `validation_failed` for an empty field, `invalid_code` for another text
 */
export function readCode(typed: string, field: string): string {
  const code = typed.normalize('NFKC').replace(/[\s-]/g, '')
  if (code === '') throw missing(field)
  if (!/^\d{6}$/.test(code)) throw new KeywardError('invalid_code')
  return code
}

/** Reads the JSON of a credential that `passkey.js` has sent. @throws KeywardError `webauthn_failed` */
export function readCredential(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new KeywardError('webauthn_failed')
  }
}

const missing = (field: string): KeywardError => {
  const errors: FieldError[] = [{ field, message: MISSING }]
  return new KeywardError('validation_failed', { errors })
}
