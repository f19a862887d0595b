import type { SourceRow } from '../source.ts'
import { type FactorTable, rowsIn } from './format.ts'

/** Second factors in GoTrue. A factor counts when it is verified. */
export const factorTables: readonly FactorTable[] = [
  {
    field: 'factorRows',
    tables: ['auth.mfa_factors'],
    user: ['user_id'],
    members: {
      type: ['factor_type'],
      status: ['status'],
      name: ['friendly_name'],
      secret: ['secret'],
      credential: ['web_authn_credential'],
      created_at: ['created_at'],
    },
    orderBy: 'created_at',
  },
]

/** Makes the fields of a file out of the rows of `auth.mfa_factors`. */
export function factorsOf(text: string | null | undefined): Pick<SourceRow, 'totp' | 'passkeys' | 'factorProblem'> {
  const apps: object[] = []
  const keys: object[] = []
  for (const { type, status, name, secret, credential, created_at } of rowsIn(text)) {
    if (status !== 'verified') continue
    if (type === 'totp') {
      // With `GOTRUE_SECURITY_DB_ENCRYPTION`, the secret is a JSON object that only GoTrue can open.
      if (typeof secret === 'string' && secret.startsWith('{'))
        return { factorProblem: 'the secret of the authenticator app is encrypted by Supabase' }
      apps.push({ secret, name, created_at })
    } else if (type === 'webauthn') keys.push({ ...keyOf(credential), name, created_at })
    else return { factorProblem: 'the second factor is a phone, which Keyward does not have' }
  }
  return {
    ...(apps.length > 0 && { totp: JSON.stringify(apps) }),
    ...(keys.length > 0 && { passkeys: JSON.stringify(keys) }),
  }
}

/** What Go's library for WebAuthn writes, in the words of a file. Its texts of bytes are base64. */
interface GoCredential {
  id?: string
  publicKey?: string
  transport?: readonly string[] | null
  flags?: { userVerified?: boolean; backupEligible?: boolean; backupState?: boolean }
  authenticator?: { AAGUID?: string; signCount?: number }
}

/** A key of GoTrue is a second factor after a password, so it becomes a security key. */
function keyOf(credential: unknown): object {
  const { id, publicKey, transport, flags, authenticator } = (credential ?? {}) as GoCredential
  return {
    credential_id: urlSafe(id),
    public_key: publicKey,
    sign_count: authenticator?.signCount ?? 0,
    kind: 'security_key',
    user_verified: flags?.userVerified === true,
    backup_eligible: flags?.backupEligible === true,
    backed_up: flags?.backupState === true,
    aaguid: uuidOf(authenticator?.AAGUID),
    transports: transport,
  }
}

const urlSafe = (base64: unknown): string | undefined =>
  typeof base64 === 'string' ? base64.replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '') : undefined

function uuidOf(base64: string | undefined): string | undefined {
  const hex = Buffer.from(base64 ?? '', 'base64').toString('hex')
  return hex.length === 32 ? hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-') : undefined
}
