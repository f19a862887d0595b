import type { EpochMs } from '../../lib/clock.ts'
import { fromBase64Url } from '../../lib/encoding.ts'
import {
  type ImportedFactors,
  type ImportedPasskey,
  type ImportedTotp,
  readCredentialKey,
  readTotpSecret,
} from '../factors/factors.ts'
import { normalizeName } from '../users/users.ts'
import type { SourceRow } from './source.ts'
import { readTime } from './times.ts'

/** The most authenticator apps, and the most passkeys, of one account. */
const MAX_FACTORS = 50
const MAX_CREDENTIAL_ID = 1_364
const MAX_SIGN_COUNT = 2 ** 32 - 1
const NO_AAGUID = '00000000-0000-0000-0000-000000000000'

export interface FactorOptions {
  now: EpochMs
  /** The RP ID of passkeys that name none: that of this Keyward. */
  rpId: string
}

export const noFactors: ImportedFactors = { apps: [], passkeys: [], userHandle: undefined }

/**
 * Reads the second factors of an account. A factor that cannot be taken over keeps the account out: otherwise the account
 * would be less protected than before.
 * @returns sentences that contain no secret when a factor cannot be read
 */
export function readFactors(
  { totp, passkeys, userHandle, factorProblem }: SourceRow,
  options: FactorOptions,
): { factors: ImportedFactors; reasons: string[] } {
  const reasons: string[] = factorProblem === undefined ? [] : [factorProblem]
  const read = <Entry, Factor>(
    text: string | undefined,
    field: string,
    readOne: (entry: Entry) => Factor,
  ): Factor[] => {
    try {
      const entries = listIn(text)
      if (entries.length > MAX_FACTORS) throw new FactorProblem(`${field} has more than ${MAX_FACTORS} entries`)
      return entries.map((entry) => readOne(entry as Entry))
    } catch (error) {
      if (!(error instanceof FactorProblem)) throw error
      reasons.push(error.message)
      return []
    }
  }
  const apps = read(totp, 'totp', (entry: unknown) => readApp(entry, options))
  const keys = read(passkeys, 'passkeys', (entry: unknown) => readPasskey(entry, options, userHandle !== undefined))
  if (userHandle !== undefined && !isHandle(userHandle))
    reasons.push('webauthn_user_handle is not base64url of 1 to 64 bytes')
  return { factors: reasons.length > 0 ? noFactors : { apps, passkeys: keys, userHandle }, reasons }
}

/** Why a factor cannot be taken over, as a sentence without a secret. */
class FactorProblem extends Error {}

/** A JSON array, or one text that stands for itself. */
function listIn(text: string | undefined): unknown[] {
  if (text === undefined) return []
  if (!/^\s*[[{]/.test(text)) return [text]
  try {
    const value: unknown = JSON.parse(text)
    return Array.isArray(value) ? value : [value]
  } catch {
    throw new FactorProblem('a list of factors is not JSON')
  }
}

function readApp(entry: unknown, { now }: FactorOptions): ImportedTotp {
  const {
    secret,
    name,
    created_at: createdAt,
  } = typeof entry === 'string' ? membersOf({ secret: entry }) : membersOf(entry)
  const read = readTotpSecret(typeof secret === 'string' ? secret : '')
  if ('problem' in read) throw new FactorProblem(read.problem)
  return { secret: read, name: nameOf(name) ?? 'Authenticator app', createdAt: timeOf(createdAt, now) ?? now }
}

function readPasskey(entry: unknown, { now, rpId }: FactorOptions, hasHandle: boolean): ImportedPasskey {
  const sent = membersOf(entry)
  const { credential_id: credentialId, public_key: publicKey, sign_count: signCount = 0, rp_id: ownRpId = rpId } = sent
  const id = typeof credentialId === 'string' ? credentialId.replace(/=+$/, '') : ''
  if (id === '' || id.length > MAX_CREDENTIAL_ID || fromBase64Url(id) === undefined)
    throw new FactorProblem('the credential_id of a passkey is not base64url of 1 to 1,023 bytes')
  const key = typeof publicKey === 'string' ? readCredentialKey(publicKey) : undefined
  if (!key)
    throw new FactorProblem('the public_key of a passkey is neither a COSE key nor an SPKI of ES256, EdDSA or RS256')
  if (!Number.isInteger(signCount) || Number(signCount) < 0 || Number(signCount) > MAX_SIGN_COUNT)
    throw new FactorProblem('the sign_count of a passkey is no whole number below 2^32')
  if (typeof ownRpId !== 'string' || !/^[a-z0-9.-]{1,253}$/.test(ownRpId))
    throw new FactorProblem('the rp_id of a passkey is no domain')
  const { backup_eligible: isEligible, backed_up: isBackedUp = false, user_verified: isVerified = false } = sent
  if (typeof isEligible !== 'boolean' || typeof isBackedUp !== 'boolean' || typeof isVerified !== 'boolean')
    throw new FactorProblem('a passkey needs backup_eligible; this, backed_up and user_verified are true or false')
  if (isBackedUp && !isEligible) throw new FactorProblem('a passkey is backed_up but not backup_eligible')
  const { kind = isVerified && hasHandle ? 'passkey' : 'security_key' } = sent
  if (kind !== 'passkey' && kind !== 'security_key')
    throw new FactorProblem('the kind of a passkey is neither passkey nor security_key')
  if (kind === 'passkey' && !hasHandle)
    throw new FactorProblem(
      'an entry of the kind passkey needs webauthn_user_handle, by which its device names the user',
    )
  return {
    credentialId: id,
    ...key,
    signCount: Number(signCount),
    rpId: ownRpId,
    kind,
    isUvInitialized: isVerified,
    isBackupEligible: isEligible,
    isBackedUp,
    aaguid: aaguidOf(sent.aaguid),
    transports: JSON.stringify(transportsOf(sent.transports)),
    name: nameOf(sent.name) ?? (kind === 'passkey' ? 'Passkey' : 'Security key'),
    createdAt: timeOf(sent.created_at, now) ?? now,
    lastUsedAt: timeOf(sent.last_used_at, now) ?? null,
  }
}

/** The members of an object that are not null. */
function membersOf(entry: unknown): Readonly<Record<string, unknown>> {
  if (typeof entry !== 'object' || entry === null || Array.isArray(entry))
    throw new FactorProblem('a factor is neither a text nor an object')
  return Object.fromEntries(Object.entries(entry).filter(([, value]) => value !== null))
}

const isHandle = (text: string): boolean => {
  const bytes = fromBase64Url(text)
  return bytes !== undefined && bytes.length >= 1 && bytes.length <= 64
}

/** A name that Keyward does not take does not keep the account out. */
const nameOf = (name: unknown): string | undefined =>
  typeof name === 'string' ? (normalizeName(name) ?? undefined) : undefined

const timeOf = (time: unknown, now: EpochMs): EpochMs | undefined => {
  const read = typeof time === 'string' || typeof time === 'number' ? readTime(String(time)) : undefined
  return read === undefined ? undefined : Math.min(read, now)
}

const aaguidOf = (aaguid: unknown): string =>
  typeof aaguid === 'string' && /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(aaguid)
    ? aaguid.toLowerCase()
    : NO_AAGUID

/** As the registration keeps them: at most ten texts of at most 32 characters. */
const transportsOf = (transports: unknown): string[] =>
  (Array.isArray(transports) ? transports : [])
    .filter((one): one is string => typeof one === 'string' && one.length <= 32)
    .slice(0, 10)
