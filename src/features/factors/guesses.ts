import { KeywardError } from '../../errors.ts'
import { clientPrefix } from '../../lib/ip.ts'
import { type Count, userKey } from '../limits/limits.ts'
import type { FactorAnswer, FactorMethod, FactorsNeeds } from './factors.ts'
import * as store from './guesses.store.ts'

/** The places that an answer takes before Keyward knows whether it is right. `await using` gives them back. */
export interface Guess extends AsyncDisposable {
  /** Leaves the answer counted, because it was wrong. Records it, and tells the owner at the fifth in a row. */
  keep(): Promise<void>
  /** Forgets this and earlier wrong answers in a row, in the transaction of the success. */
  giveBack(): Promise<void>
}

/** Wrong codes in a row after which the owner gets a mail: somebody else knows the password. */
const WORTH_MAIL = 5

/** Wrong codes in a row after which no code of an app is accepted (NIST SP 800-63B section 3.2.2). */
const MOST_IN_ROW = 100

const methodOf = (answer: FactorAnswer): FactorMethod =>
  'otp' in answer ? 'totp' : 'recoveryCode' in answer ? 'recovery_code' : 'webauthn'

const rules = { totp: 'mfa.account', recovery_code: 'recovery.account' } as const

/** Nobody guesses a signature, so wrong answers of WebAuthn count for the network only, and never for the account. */
const countOf = (method: FactorMethod, { userId, ip }: { userId: number; ip: string }): Count =>
  method === 'webauthn'
    ? { rule: 'passkey.prefix', key: clientPrefix(ip) }
    : { rule: rules[method], key: userKey(userId) }

/** See `Factors.reserveGuess`. */
export async function reserveGuess(
  needs: FactorsNeeds,
  about: { userId: number; ip: string; sessionId?: string },
  answer: FactorAnswer,
): Promise<Guess> {
  const { store: db, clock, audit, limits, mails } = needs
  const { userId, ip } = about
  const method = methodOf(answer)
  const place = await limits.reserve([countOf(method, about)], { userId, ip })
  let inRow: number | undefined
  try {
    if (method === 'totp') inRow = await countCode(needs, about)
  } catch (error) {
    await place[Symbol.asyncDispose]()
    throw error
  }
  let isSettled = false

  return {
    async keep() {
      isSettled = true
      place.keep()
      await db.transaction(
        async () => {
          await audit.record({ ...about, event: 'mfa.failed', details: { method } })
          if (inRow === WORTH_MAIL) await mails.notify('wrong_codes', userId, { ip })
          if (inRow !== undefined && inRow >= MOST_IN_ROW) await lock(needs, about)
        },
        { userId },
      )
    },
    async giveBack() {
      await place.giveBack()
      // A code that was right shows that codes were not locked.
      if (method !== 'totp' && (await store.unlock(db, userId)))
        await audit.record({ ...about, event: 'factor.unlocked', details: { method } })
      await store.clear(db, userId)
      db.afterCommit(() => {
        isSettled = true
      })
    },
    async [Symbol.asyncDispose]() {
      if (isSettled) return
      isSettled = true
      if (inRow !== undefined) await store.uncount(db, userId)
      await place[Symbol.asyncDispose]()
    },
  }

  /** @returns how many codes in a row were wrong if this one is */
  async function countCode(needs: FactorsNeeds, about: { userId: number; ip: string }): Promise<number> {
    const counted = await store.count(db, { userId, most: MOST_IN_ROW })
    if (counted !== undefined) return counted
    await db.transaction(() => lock(needs, about), { userId })
    throw new KeywardError('totp_locked')
  }

  async function lock({ audit, mails }: FactorsNeeds, about: { userId: number; ip: string }): Promise<void> {
    if (!(await store.lock(db, { userId, now: clock.now(), from: MOST_IN_ROW }))) return
    await audit.record({ ...about, event: 'factor.locked', details: { method: 'totp' } })
    await mails.notify('codes_locked', userId, { ip })
  }
}
