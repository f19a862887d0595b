import { cleanUpChallenges, type FactorChallenges, factorChallenges } from './challenges.ts'
import { check, type FactorShown } from './check.ts'
import type { FactorAnswer, FactorMethod, FactorProof, FactorState, FactorsNeeds } from './factors.ts'
import { type Guess, reserveGuess } from './guesses.ts'
import * as state from './state.store.ts'
import { optionsOf } from './use-passkey.ts'

/** What a login and a step-up need of the factors. */
export interface FactorGate extends FactorChallenges {
  /**
   * Reads which second factors a user has. In the transaction that has the user's row locked, the answer stays true
   * until the transaction ends.
   */
  stateOf(userId: number): Promise<FactorState>
  /** The methods of `stateOf`. */
  methods(userId: number): Promise<readonly FactorMethod[]>
  /**
   * Takes the places of an answer in the limits, and counts it as wrong, before it is checked and outside the
   * transaction of its success: a wrong answer is then counted whatever happens to that transaction. Call it before
   * every `check`, at a login, in a session, and at the confirmation of a new factor alike.
   * @throws KeywardError `rate_limited`; `totp_locked` after 100 wrong codes in a row. Other methods still work then
   */
  reserveGuess(about: { userId: number; ip: string; sessionId?: string }, answer: FactorAnswer): Promise<Guess>
  /**
   * Checks an answer and uses it up, in the current transaction, in which the user's row is locked. One conditional
   * statement decides, so of concurrent calls with the same answer only one succeeds. A wrong answer writes nothing.
   * @param about.challenge the challenge that `takeWebauthn` returned, for an answer with `webauthn`
   * @returns undefined when the answer is wrong or was used before
   * @throws KeywardError `webauthn_failed`
   */
  check(about: FactorShown, answer: FactorAnswer): Promise<FactorProof | undefined>
  /**
   * Makes the request options of WebAuthn (PublicKeyCredentialRequestOptionsJSON) for a login that waits, with a new
   * challenge; an earlier one becomes void.
   * @returns undefined when the login is over, or the user has no passkey and no security key
   */
  requestWebauthn(userId: number, challengeId: string): Promise<object | undefined>
  /**
   * Makes the request options of WebAuthn for the passkeys and security keys of a user.
   * @returns undefined when the user has none
   */
  webauthnOptions(userId: number, challenge: string): Promise<object | undefined>
  /** Deletes up to `limit` challenges that have expired. @returns how many */
  cleanUpChallenges(limit: number): Promise<number>
}

export function factorGate(needs: FactorsNeeds): FactorGate {
  const { store: db, settings } = needs
  const stateOf = async (userId: number): Promise<FactorState> => {
    const found = await state.find(db, { userId, rpId: settings.hasPasskeys ? settings.rpId : '' })
    return { has: found.hasTotp || found.hasPasskey, methods: methodsOf(found) }
  }
  const challenges = factorChallenges(needs)
  const webauthnOptions = (userId: number, challenge: string) => optionsOf(needs, { userId, challenge })
  return {
    ...challenges,
    stateOf,
    methods: async (userId) => (await stateOf(userId)).methods,
    reserveGuess: (about, answer) => reserveGuess(needs, about, answer),
    check: (about, answer) => check(needs, about, answer),
    async requestWebauthn(userId, challengeId) {
      const challenge = await challenges.makeWebauthn(challengeId)
      return challenge === undefined ? undefined : webauthnOptions(userId, challenge)
    },
    webauthnOptions,
    cleanUpChallenges: (limit) => cleanUpChallenges(needs, limit),
  }
}

function methodsOf({ hasTotp, hasPasskey, isLocked, codesLeft }: state.Found): FactorMethod[] {
  const methods: FactorMethod[] = []
  if (hasPasskey) methods.push('webauthn')
  if (hasTotp && !isLocked) methods.push('totp')
  if ((hasTotp || hasPasskey) && codesLeft > 0) methods.push('recovery_code')
  return methods
}
