import type { RootSecrets } from '../secrets/secrets.ts'
import { hmacKey, type SignatureAlgorithm } from './jwk.ts'
import { opensWith } from './sealed-key.ts'
import { activeOf } from './signing-key.ts'
import type { SigningKeysNeeds } from './signing-keys.ts'
import * as store from './store.ts'

/** The stored signing keys, as an inspection finds them. */
export interface SigningKeysFound {
  /** How many signing keys are stored, revoked and expired ones included. */
  total: number
  /** The ids of the keys whose private part does not open. */
  unreadable: readonly string[]
  /** The algorithm of the key that signs access tokens; undefined when no key does. */
  active: SignatureAlgorithm | undefined
  /** True when JWT_ALG is HS256 and JWT_SECRET was revoked. No server starts then. */
  isSecretRevoked: boolean
}

/** See `inspectSigningKeys` of `signing-keys.ts`. */
export async function inspectKeys({
  store: db,
  secrets,
  settings: { alg, hmacSecret },
}: Pick<SigningKeysNeeds, 'store' | 'settings'> & { secrets: RootSecrets }): Promise<SigningKeysFound> {
  const rows = await store.all(db)
  const kid = alg === 'HS256' && hmacSecret !== undefined ? hmacKey(hmacSecret).kid : undefined
  return {
    total: rows.length,
    unreadable: rows.filter((row) => !opensWith(secrets, row)).map((row) => row.kid),
    active: activeOf(rows)?.alg,
    isSecretRevoked: rows.some((row) => row.kid === kid && row.state === 'revoked'),
  }
}
