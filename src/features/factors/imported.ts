import type { Clock, EpochMs } from '../../lib/clock.ts'
import { fromBase32 } from '../../lib/encoding.ts'
import { nodeCrypto } from '../../lib/node-crypto.ts'
import type { Store } from '../../storage/store.ts'
import type { Secrets } from '../secrets/secrets.ts'
import * as store from './imported.store.ts'
import { coseKeyOf } from './imported-key.ts'
import { stepAt } from './totp.ts'
import { totpContext } from './use-totp.ts'
import { importCoseKey } from './webauthn/cose-key.ts'

/* Factors that users had in another service. `import` reads them; recovery codes cannot be taken over. */

/** An authenticator app of a user in another service. */
export interface ImportedTotp {
  secret: Uint8Array
  name: string
  createdAt: EpochMs
}

/** A passkey or a security key of a user in another service. */
export type ImportedPasskey = Pick<
  store.PasskeyRow,
  | 'credentialId'
  | 'publicKey'
  | 'alg'
  | 'signCount'
  | 'rpId'
  | 'kind'
  | 'isUvInitialized'
  | 'isBackupEligible'
  | 'isBackedUp'
  | 'aaguid'
  | 'transports'
  | 'name'
  | 'createdAt'
  | 'lastUsedAt'
>

/** The factors of one user in another service. */
export interface ImportedFactors {
  apps: readonly ImportedTotp[]
  passkeys: readonly ImportedPasskey[]
  /** The user handle that the authenticators know, in base64url; undefined when nobody knows it any more. */
  userHandle: string | undefined
}

export interface FactorImportNeeds {
  store: Store
  clock: Clock
  /** Opens the secrets; called only when there is something to seal. @throws when SECRET_KEY is missing */
  openSecrets(): Promise<Pick<Secrets, 'sealer'>>
}

/** Takes over factors of another service. */
export interface FactorImport {
  /** Call it outside transactions, and give its answer to `add`. @throws when SECRET_KEY is missing or wrong */
  sealer(): Promise<Sealer>
  /**
   * Adds factors to users that were inserted in the running transaction, so that none of them has a factor yet. A
   * credential that is registered already is passed over, and so is a user handle that another user has. A code of the
   * time of the import is not accepted again, because it may have been used in the other service.
   * @param users.email `users.email_key` of the user
   * @param seal needed when one of the users has an authenticator app
   * @returns the number of added factors
   */
  add(users: readonly { email: string; factors: ImportedFactors }[], seal: Sealer | undefined): Promise<number>
}

/** Makes the seal of a secret for a row of `totp_factors`; see `Secrets.sealer`. */
export type Sealer = (context: string, plaintext: Uint8Array) => string

const MIN_SECRET = 10
const MAX_SECRET = 64

/**
 * Reads the secret of an authenticator app: base32, in any case and with spaces or hyphens, or an `otpauth:` URI (Key Uri
 * Format). The app must compute what Keyward does: SHA-1, six digits and steps of 30 seconds.
 * @returns a sentence when the secret cannot be taken over
 */
export function readTotpSecret(text: string): Uint8Array | { problem: string } {
  const isUri = /^otpauth:/i.test(text)
  const uri = isUri && URL.canParse(text) ? new URL(text) : undefined
  if (isUri && uri?.host.toLowerCase() !== 'totp') return { problem: 'the otpauth URI is not one of TOTP' }
  const parameter = (name: string, normal: string) => (uri?.searchParams.get(name) ?? normal).toUpperCase()
  if (
    parameter('algorithm', 'SHA1') !== 'SHA1' ||
    parameter('digits', '6') !== '6' ||
    parameter('period', '30') !== '30'
  )
    return { problem: 'the authenticator app computes other codes than those of SHA-1, six digits and 30 seconds' }
  const secret = fromBase32((uri ? (uri.searchParams.get('secret') ?? '') : text).replace(/[\s-]/g, ''))
  if (secret && secret.length >= MIN_SECRET && secret.length <= MAX_SECRET) return secret
  return { problem: `the secret of the authenticator app is not base32 of ${MIN_SECRET} to ${MAX_SECRET} bytes` }
}

/**
 * Reads the public key of a credential: a COSE key or an SPKI, in base64url or base64, or an SPKI as PEM.
 * @returns undefined when it is neither, or is a key of another kind than Keyward accepts
 */
export function readCredentialKey(text: string): { publicKey: string; alg: number } | undefined {
  try {
    const bytes = /^-----BEGIN /.test(text) ? undefined : bytesOf(text)
    // DER begins with the tag of a SEQUENCE, and a COSE key with that of a map.
    const spki = bytes === undefined ? text : bytes[0] === 0x30 ? Buffer.from(bytes) : undefined
    const cose =
      spki === undefined
        ? bytes!
        : coseKeyOf(
            nodeCrypto().createPublicKey(typeof spki === 'string' ? spki : { key: spki, format: 'der', type: 'spki' }),
          )
    const { alg } = importCoseKey(cose)
    return { publicKey: Buffer.from(cose).toString('base64url'), alg }
  } catch {
    return undefined
  }
}

const bytesOf = (text: string): Uint8Array => {
  if (!/^[\w+/-]+={0,2}$/.test(text)) throw new TypeError('no base64')
  return Buffer.from(text, 'base64')
}

export const createFactorImport = ({ store: db, clock, openSecrets }: FactorImportNeeds): FactorImport => ({
  sealer: async () => (await openSecrets()).sealer(),
  async add(users, seal) {
    const now = clock.now()
    let sum = 0
    for (let at = 0; at < users.length; at += store.PART) {
      const some = users.slice(at, at + store.PART)
      const ids = await store.idsOf(
        db,
        some.map(({ email }) => email),
      )
      const owned = some.flatMap(({ email, factors }) => {
        const userId = ids.get(email)
        return userId === undefined ? [] : [{ userId, ...factors }]
      })
      const apps = owned.flatMap(({ userId, apps: theirs }) => theirs.map((app) => ({ userId, ...app })))
      const rows = apps.map(({ secret: _, ...app }) => ({ ...app, lastStep: stepAt(now), confirmedAt: now }))
      sum += await store.insertApps(db, rows, (id, row) => seal!(totpContext(id), apps[row]!.secret))
      const keys = owned.flatMap(({ userId, passkeys }) => passkeys.map((key) => ({ userId, ...key })))
      sum += await store.insertPasskeys(db, keys)
      const known = owned.filter(({ userHandle }) => userHandle !== undefined)
      await store.insertHandles(
        db,
        known.map(({ userId, userHandle }) => ({ userId, webauthnHandle: userHandle! })),
      )
    }
    return sum
  },
})
