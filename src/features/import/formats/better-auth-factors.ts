import type { SourceRow } from '../source.ts'
import { type FactorTable, isTrue, rowsIn } from './format.ts'

/** Passkeys of better-auth's plugin. */
export const factorTables: readonly FactorTable[] = [
  {
    field: 'passkeyRows',
    tables: ['passkey', 'passkeys'],
    user: ['userId', 'user_id'],
    members: {
      name: ['name'],
      credential: ['credentialID', 'credential_id'],
      public_key: ['publicKey', 'public_key'],
      counter: ['counter'],
      device: ['deviceType', 'device_type'],
      backed_up: ['backedUp', 'backed_up'],
      transports: ['transports'],
      aaguid: ['aaguid'],
      created_at: ['createdAt', 'created_at'],
    },
    orderBy: 'created_at',
  },
]

/**
 * Makes the fields of a file out of the rows of the plugins `two-factor` and `passkey`. The secrets of authenticator apps
 * are encrypted with the secret of better-auth, so they stay there.
 */
export function factorsOf({
  hasFactor,
  passkeyRows,
}: {
  hasFactor?: string | null | undefined
  passkeyRows?: string | null | undefined
}): Pick<SourceRow, 'passkeys' | 'factorProblem'> {
  const keys = rowsIn(passkeyRows).map(({ name, credential, public_key, counter, device, backed_up, ...row }) => ({
    name,
    credential_id: credential,
    public_key,
    sign_count: Number(counter ?? 0),
    // The user handle of a passkey is not stored, so it works after a password only. Nor is whether its device has
    // verified the user.
    kind: 'security_key',
    backup_eligible: device === 'multiDevice',
    backed_up: isTrue(String(backed_up)),
    transports: typeof row.transports === 'string' && row.transports !== '' ? row.transports.split(',') : [],
    aaguid: row.aaguid,
    created_at: row.created_at,
  }))
  return {
    ...(keys.length > 0 && { passkeys: JSON.stringify(keys) }),
    ...(isTrue(hasFactor) && {
      factorProblem: 'the secret of the authenticator app is encrypted by better-auth',
    }),
  }
}
