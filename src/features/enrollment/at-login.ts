import { KeywardError } from '../../errors.ts'
import type { Locale } from '../../lib/locale.ts'
import type { Factor, PendingTotp } from '../factors/factors.ts'
import { factorChange } from '../limits/limits.ts'
import type { BegunSession, EnrollmentToken, Origin, WaitingEnrollment } from '../sessions/sessions.ts'
import { USUAL_NAME } from './add-totp.ts'
import { readName } from './change.ts'
import type { EnrollmentNeeds } from './enrollment.ts'

/* A login that a rule refuses until the account has a second factor, and that adds one. */

/** What a login that must add a factor has to do next. */
export interface EnrollmentStep {
  /** For the code of the mail that was sent; undefined when no code is needed. */
  challengeId: string | undefined
  /** How many seconds the login waits. */
  expiresIn: number
}

/** The code of a mail, as typed. */
interface MailedCode {
  challengeId?: string | null | undefined
  code?: string | null | undefined
}

/** What the page or the program sends to begin. */
export type NewTotpAtLogin = EnrollmentToken & MailedCode & { ip: string; name?: string | null | undefined }

export interface TotpAtLogin {
  token: string
  id: string
  code: string
  origin: Origin
  /** As in `LoginAnswer`. */
  browser?: { replaces?: string }
}

export interface AddedAtLogin {
  begun: BegunSession
  factor: Factor
  recoveryCodes: string[] | undefined
}

/** The stage of a login whose user has shown the code of the mail, and has not begun to add an app. */
const PROVED = 'proved'

/**
 * True when the login may add a factor: the password alone must not be enough to do that, or a thief with the password
 * gets the account for good. Without mail, nothing else can be asked.
 */
const isProved = async ({ mails, factors }: EnrollmentNeeds, { id, amr }: WaitingEnrollment): Promise<boolean> =>
  !mails.isOn || amr.includes('email') || (await factors.stageOf(id)) !== undefined

/** See `Enrollment.prepareAtLogin`. */
export async function prepareAtLogin(
  needs: EnrollmentNeeds,
  { locale, client, ip, ...of }: EnrollmentToken & { locale: Locale | undefined; client: string; ip: string },
): Promise<EnrollmentStep> {
  const waiting = await needs.sessions.findEnrollment(of)
  const { user, expiresIn } = waiting
  if (await isProved(needs, waiting)) return { challengeId: undefined, expiresIn }
  const asker = { userId: user.id, epoch: user.sessionEpoch }
  const challengeId = await needs.mails.ask({ kind: 'enroll_factor', email: user.email, locale, client, ip, asker })
  return { challengeId, expiresIn }
}

/** See `Enrollment.beginTotpAtLogin`. */
export async function beginTotpAtLogin(
  needs: EnrollmentNeeds,
  { name: typed, challengeId, code, ip, ...of }: NewTotpAtLogin,
): Promise<PendingTotp> {
  const { factors, limits, sessions } = needs
  const name = readName(typed ?? USUAL_NAME)
  const waiting = await sessions.findEnrollment(of)
  const { user } = waiting
  if (!(await isProved(needs, waiting))) await prove(needs, waiting, { challengeId, code, ip })
  await using place = await limits.reserve([factorChange(user.id)], { userId: user.id, ip })
  const pending = await factors.beginTotp({ user, by: { userId: user.id, ip }, name })
  if (!(await factors.noteStage(waiting.id, pending.id))) throw new KeywardError('mfa_token_expired')
  place.keep()
  return pending
}

/** @throws KeywardError `invalid_code`, `rate_limited` */
async function prove(
  { store: db, proofs, factors }: EnrollmentNeeds,
  { id, user }: WaitingEnrollment,
  { challengeId, code, ip }: MailedCode & { ip: string },
): Promise<void> {
  const typed = challengeId && code ? { id: challengeId, code } : undefined
  const proof = typed && (await proofs.checkCode('enroll_factor', typed, { ip }))
  if (proof?.userId !== user.id) throw new KeywardError('invalid_code')
  await db.transaction(
    async () => {
      const redeemed = await proofs.redeem(proof)
      if (!redeemed || redeemed === 'none') throw new KeywardError('invalid_code')
      if (!(await factors.noteStage(id, PROVED))) throw new KeywardError('mfa_token_expired')
    },
    { userId: user.id },
  )
}

/** See `Enrollment.confirmTotpAtLogin`. */
export async function confirmTotpAtLogin(
  needs: EnrollmentNeeds,
  { token, id, code, origin, browser }: TotpAtLogin,
): Promise<AddedAtLogin> {
  const { factors, sessions } = needs
  const { ip } = origin
  const waiting = await sessions.findEnrollment({ token, isBrowser: browser !== undefined })
  const userId = waiting.user.id
  // Only the app that this login has begun to add, after the code of the mail.
  if ((await factors.stageOf(waiting.id)) !== id) throw new KeywardError('factor_not_found')
  await using guess = await factors.reserveGuess({ userId, ip }, { otp: code })
  try {
    const { begun, added } = await sessions.finishEnrollment({
      token,
      origin,
      ...(browser && { browser }),
      async add() {
        const made = await factors.confirmTotp({ by: { userId, ip }, id, code })
        await guess.giveBack()
        return { amr: ['otp'], added: made }
      },
    })
    return { begun, ...added }
  } catch (error) {
    if (error instanceof KeywardError && error.code === 'invalid_code') await guess.keep()
    throw error
  }
}
