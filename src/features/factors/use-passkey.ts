import { KeywardError } from '../../errors.ts'
import { SECOND } from '../../lib/clock.ts'
import { requirePasskeys } from './add-passkey.ts'
import { factorId } from './factor.ts'
import type { FactorProof, FactorsNeeds } from './factors.ts'
import * as store from './passkeys.store.ts'
import { type ParsedAssertion, parseAssertion, type VerifiedAssertion, verifyAssertion } from './webauthn/assertion.ts'
import { WebauthnFailure, type WebauthnReason } from './webauthn/failure.ts'
import { CHALLENGE_LIFETIME, type RequestOptionsJson, requestOptions } from './webauthn/options.ts'
import type { SealedChallenges } from './webauthn/sealed-challenge.ts'

/** Why an assertion was refused: it is wrong, or its credential is not accepted here. For the audit log. */
export type AssertionReason = WebauthnReason | 'unknown_credential' | 'user_handle' | 'kind' | 'counter'

/** An assertion of a person who is not known yet. Its challenge was used up, and nothing else is proved. */
export interface OpenedPasskey {
  userId: number
  assertion: ParsedAssertion
}

/** Makes the options with which anyone may sign in by a passkey. They are the same for everybody, and stored nowhere. */
export function askForPasskey(
  needs: FactorsNeeds,
  challenges: SealedChallenges,
): { options: RequestOptionsJson; expiresIn: number } {
  requirePasskeys(needs)
  const challenge = challenges.seal(needs.clock.now())
  const options = requestOptions({ rpId: needs.settings.rpId, challenge, userVerification: 'required' })
  return { options, expiresIn: CHALLENGE_LIFETIME / SECOND }
}

/**
 * Makes the request options for the passkeys and security keys of a user, as the second factor. A security key would ask
 * for its PIN if user verification was not discouraged. A passkey is asked for it: then it shows both factors.
 * @returns undefined when the user has none
 */
export async function optionsOf(
  { store: db, settings }: FactorsNeeds,
  { userId, challenge }: { userId: number; challenge: string },
): Promise<RequestOptionsJson | undefined> {
  const { rpId, hasPasskeys } = settings
  const allow = hasPasskeys ? await store.hintsOf(db, { userId, rpId }) : []
  if (allow.length === 0) return undefined
  const userVerification = allow.some(({ kind }) => kind === 'passkey') ? 'preferred' : 'discouraged'
  return requestOptions({ rpId, challenge, allow, userVerification })
}

/** See `Passkeys.openPasskey`. */
export async function openPasskey(
  needs: FactorsNeeds,
  challenges: SealedChallenges,
  { response, ip }: { response: unknown; ip: string },
): Promise<OpenedPasskey> {
  const { store: db, clock, settings } = needs
  requirePasskeys(needs)
  const about = { ip }
  const assertion = parsed(response)
  if (typeof assertion === 'string') throw await refusedLogin(needs, about, assertion)
  const opened = challenges.open(assertion.clientData.challenge, clock.now())
  // Used up before anything else is looked at, so that no answer can be tried twice.
  if (!opened || !(await store.useNonce(db, opened))) throw await refusedLogin(needs, about, 'challenge')
  const passkey = await store.findByCredentialId(db, { ...assertion, rpId: settings.rpId })
  if (!passkey) throw await refusedLogin(needs, about, 'unknown_credential')
  return { userId: passkey.userId, assertion }
}

/** See `Passkeys.provePasskey`. */
export async function provePasskey(
  needs: FactorsNeeds,
  { userId, assertion, ip }: OpenedPasskey & { ip: string },
): Promise<FactorProof> {
  const { store: db, settings } = needs
  const { challenge } = assertion.clientData
  const outcome = await db.transaction(
    async () => {
      const passkey = await store.findByCredentialId(db, { ...assertion, rpId: settings.rpId })
      if (passkey?.userId !== userId) return 'unknown_credential'
      if (passkey.kind !== 'passkey' || !passkey.isUvInitialized) return 'kind'
      if (assertion.userHandle === undefined) return 'user_handle'
      return prove(needs, { passkey, assertion, challenge, requireUv: true, ip })
    },
    { userId },
  )
  if (typeof outcome === 'string') throw await refusedLogin(needs, { userId, ip }, outcome)
  return outcome
}

/** Who shows a passkey or security key as the second factor. */
export interface ShownPasskey {
  userId: number
  ip: string
  sessionId?: string
  /** The challenge that was used up; undefined when there was none. */
  challenge: string | undefined
}

/**
 * Checks an assertion of one of the user's passkeys or security keys, as the second factor. User verification is not
 * required: the first factor was another one. Call it in a transaction that is committed also when this returns
 * undefined, because a copied key is recorded and mailed in it.
 * @returns undefined for a wrong answer
 */
export async function usePasskey(
  needs: FactorsNeeds,
  { userId, challenge, ...from }: ShownPasskey,
  response: unknown,
): Promise<FactorProof | undefined> {
  const { store: db, audit, settings } = needs
  const about = { userId, ...from }
  const outcome = await (async (): Promise<FactorProof | AssertionReason> => {
    if (challenge === undefined || !settings.hasPasskeys) return 'challenge'
    const assertion = parsed(response)
    if (typeof assertion === 'string') return assertion
    const passkey = await store.findByCredentialId(db, { ...assertion, rpId: settings.rpId })
    if (passkey?.userId !== userId) return 'unknown_credential'
    return prove(needs, { passkey, assertion, challenge, requireUv: false, ...from })
  })()
  if (typeof outcome !== 'string') return outcome
  await audit.record({ event: 'factor.refused', ...about, details: { method: 'webauthn', reason: outcome } })
  return undefined
}

/** Verifies an assertion of a stored credential, and records its use. */
async function prove(
  needs: FactorsNeeds,
  {
    passkey,
    assertion,
    challenge,
    requireUv,
    ...from
  }: {
    passkey: store.StoredPasskey
    assertion: ParsedAssertion
    challenge: string
    requireUv: boolean
    ip: string
    sessionId?: string
  },
): Promise<FactorProof | AssertionReason> {
  const { settings } = needs
  const { rpId, origins } = settings
  if (assertion.userHandle !== undefined && assertion.userHandle !== passkey.userHandle) return 'user_handle'
  const credential = { ...passkey, backupEligible: passkey.isBackupEligible }
  const verified = ifAccepted(() => verifyAssertion({ assertion, challenge, origins, rpId, credential, requireUv }))
  if (typeof verified === 'string') return verified
  if (!(await recordUse(needs, passkey, verified))) {
    await reportCopy(needs, passkey, from)
    return 'counter'
  }
  const id = factorId({ table: 'passkey', id: passkey.id })
  // A key that was registered without user verification stays a second factor: its PIN may be that of a thief.
  const isBoth = verified.isUv && passkey.kind === 'passkey' && passkey.isUvInitialized
  return {
    method: 'webauthn',
    factorId: id,
    amr: [passkey.isBackupEligible ? 'swk' : 'hwk', ...(isBoth ? ['user', 'mfa'] : [])],
  }
}

/**
 * Records a use and compares the counter, in one statement. A counter that has not grown shows a copy. Of a passkey that
 * is synced it shows nothing, because each device may count on its own.
 * @returns false for a copy
 */
async function recordUse(
  { store: db, clock }: FactorsNeeds,
  { id, isBackupEligible }: store.StoredPasskey,
  { signCount, backedUp: isBackedUp }: VerifiedAssertion,
): Promise<boolean> {
  const use = { id, signCount, isBackedUp, now: clock.now() }
  if (await store.recordUse(db, use)) return true
  if (isBackupEligible) await store.recordSyncedUse(db, use)
  return isBackupEligible
}

async function reportCopy(
  { audit, mails }: FactorsNeeds,
  { id, userId, name }: store.StoredPasskey,
  from: { ip: string; sessionId?: string },
): Promise<void> {
  const factor = factorId({ table: 'passkey', id })
  await audit.record({ event: 'factor.clone_suspected', userId, ...from, details: { factor } })
  await mails.notify('factor_copied', userId, { ip: from.ip, factor: name })
}

async function refusedLogin(
  { audit }: FactorsNeeds,
  about: { userId?: number; ip: string },
  reason: AssertionReason,
): Promise<KeywardError> {
  await audit.record({ event: 'login.failed', ...about, details: { method: 'passkey', reason } })
  return new KeywardError(reason === 'unknown_credential' ? 'unknown_passkey' : 'invalid_passkey')
}

const parsed = (response: unknown): ParsedAssertion | WebauthnReason => ifAccepted(() => parseAssertion(response))

function ifAccepted<T>(check: () => T): T | WebauthnReason {
  try {
    return check()
  } catch (error) {
    if (error instanceof WebauthnFailure) return error.reason
    throw error
  }
}
