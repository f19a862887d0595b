import { KeywardError } from '../../errors.ts'
import { toBase64Url } from '../../lib/encoding.ts'
import type { User } from '../users/users.ts'
import { nameOfAuthenticator } from './authenticator-names.ts'
import { beginCeremony, takeCeremony } from './challenges.ts'
import { type FactorChanger, followAdded, listOf, requireRoom } from './change.ts'
import { type Factor, factorId } from './factor.ts'
import type { FactorsNeeds } from './factors.ts'
import * as store from './passkeys.store.ts'
import { WebauthnFailure, type WebauthnReason } from './webauthn/failure.ts'
import { type CreationOptionsJson, type CredentialKind, creationOptions } from './webauthn/options.ts'
import { type NewCredential, verifyRegistration } from './webauthn/registration.ts'

/** A registration that waits for the answer of the browser. */
export interface PendingPasskey {
  challengeId: string
  /** Seconds. */
  expiresIn: number
  options: CreationOptionsJson
}

/** A credential whose registration was checked, and which is not stored yet. */
export interface CheckedPasskey {
  kind: CredentialKind
  credential: NewCredential
}

/** See `Passkeys.beginPasskey`. */
export async function beginPasskey(
  needs: FactorsNeeds,
  { user, by, kind }: { user: User; by: FactorChanger & { sessionId: string }; kind: CredentialKind },
): Promise<PendingPasskey> {
  const { store: db, random, settings } = needs
  const { userId, sessionId } = by
  const { rpId } = settings
  requirePasskeys(needs)
  await requireRoom(needs, userId)
  const handle = await store.handleOf(db, { userId, fresh: toBase64Url(random.bytes(32)) })
  const ceremony = await beginCeremony(needs, { purpose: 'register', userId, sessionId, note: kind })
  const options = creationOptions({
    kind,
    rpId,
    rpName: settings.app,
    user: { handle, name: user.email, displayName: user.name ?? user.username },
    exclude: await store.hintsOf(db, { userId, rpId }),
    challenge: ceremony.challenge,
  })
  return { challengeId: ceremony.id, expiresIn: ceremony.expiresIn, options }
}

/** See `Passkeys.checkPasskey`. */
export async function checkPasskey(
  needs: FactorsNeeds,
  { by, challengeId, response }: { by: FactorChanger & { sessionId: string }; challengeId: string; response: unknown },
): Promise<CheckedPasskey> {
  const { audit, settings } = needs
  const { rpId, origins } = settings
  requirePasskeys(needs)
  const refuse = async (reason: WebauthnReason | 'synced') => {
    await audit.record({ event: 'factor.refused', ...by, details: { method: 'webauthn', reason } })
    return new KeywardError(reason === 'synced' ? 'synced_passkey' : 'webauthn_failed')
  }
  const ceremony = await takeCeremony(needs, { purpose: 'register', sessionId: by.sessionId, id: challengeId })
  if (!ceremony) throw await refuse('challenge')
  const kind = ceremony.note as CredentialKind
  const { challenge } = ceremony
  let credential: NewCredential
  try {
    credential = verifyRegistration({ response, challenge, origins, rpId, requireUv: kind === 'passkey' })
  } catch (error) {
    if (error instanceof WebauthnFailure) throw await refuse(error.reason)
    throw error
  }
  if (credential.backupEligible && !settings.allowsSynced) throw await refuse('synced')
  return { kind, credential }
}

const usualNames: Record<CredentialKind, string> = { passkey: 'Passkey', security_key: 'Security key' }

/** See `Passkeys.addPasskey`. */
export async function addPasskey(
  needs: FactorsNeeds,
  { by, checked, name: given }: { by: FactorChanger; checked: CheckedPasskey; name?: string },
): Promise<{ factor: Factor; recoveryCodes: string[] | undefined; amr: string[] }> {
  const { store: db, clock, settings } = needs
  const { userId } = by
  const { kind, credential } = checked
  const { isUv, backupEligible, backedUp, ...key } = credential
  const name = given ?? nameOfAuthenticator(credential.aaguid) ?? usualNames[kind]
  await requireRoom(needs, userId)
  const row = await store.insert(db, {
    ...key,
    userId,
    rpId: settings.rpId,
    kind,
    isUvInitialized: isUv,
    isBackupEligible: backupEligible,
    isBackedUp: backedUp,
    name,
    createdAt: clock.now(),
  })
  if (row === undefined) throw new KeywardError('credential_exists')
  const id = factorId({ table: 'passkey', id: row })
  const recoveryCodes = await followAdded(needs, { by, id, type: kind, name })
  const factor = (await listOf(needs, userId)).find((one) => one.id === id)
  return { factor: factor!, recoveryCodes, amr: [backupEligible ? 'swk' : 'hwk'] }
}

/** @throws KeywardError `not_found` with `PASSKEYS=off` */
export function requirePasskeys({ settings }: Pick<FactorsNeeds, 'settings'>): void {
  if (!settings.hasPasskeys) throw new KeywardError('not_found')
}
