import type { FactorAnswer, FactorMethod } from '../factors/factors.ts'
import type { Raised, SessionCaller } from '../sessions/sessions.ts'
import type { AccountsNeeds } from './accounts.ts'
import { checkPassword } from './fresh.ts'

/** What a caller shows again: the password, or a second factor. */
export interface StepUp {
  shown: FactorAnswer | { password: string }
  ip: string
  /** The client's network, for limits and the hash gate. */
  client: string
}

/** See `Accounts.stepUp`. */
export async function stepUp(
  needs: AccountsNeeds,
  caller: SessionCaller,
  { shown, ip, client }: StepUp,
): Promise<Raised> {
  if (!('password' in shown)) return needs.sessions.stepUp(caller, { answer: shown, ip })
  await checkPassword(needs, caller, { password: shown.password, ip, client })
  return needs.sessions.renewCredential(caller, { amr: ['pwd'], ip })
}

/** What makes a session fresh. */
export interface StepUpWays {
  /** The second factors that work now; for an account without one, `password` if it has a password. */
  methods: readonly (FactorMethod | 'password')[]
  /** How many seconds `webauthn` works. */
  expiresIn?: number
  /** New request options of WebAuthn, for an account with a passkey or security key. */
  webauthn?: object | undefined
}

/** See `Accounts.describeStepUp`. */
export async function describeStepUp(
  { sessions, factors, users }: AccountsNeeds,
  caller: SessionCaller,
  how: { withOptions: boolean },
): Promise<StepUpWays> {
  const { userId } = caller
  if ((await factors.stateOf(userId)).has) return sessions.describeStepUp(caller, how)
  const hasPassword = typeof (await users.findPassword(userId))?.hash === 'string'
  return { methods: hasPassword ? ['password'] : [] }
}
