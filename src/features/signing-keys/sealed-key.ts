import { unseal } from '../../lib/seal.ts'
import { type RootSecrets, type Secrets, unopenable } from '../secrets/secrets.ts'
import {
  exportPrivateKey,
  exportPublicJwk,
  generateSigningKey,
  importPrivateKey,
  type PublicKeyAlgorithm,
  type SignatureAlgorithm,
  type SigningKey,
} from './jwk.ts'
import { nextSlotOf, type SigningKeyRow, type Slot } from './signing-key.ts'
import type { SigningKeysNeeds } from './signing-keys.ts'
import * as store from './store.ts'

/** Binds a sealed private key to the `kid` of its row. A sealed key that is copied to another row cannot be opened. */
const sealContext = (kid: string): string => `signing_keys.private_key:${kid}`

/**
 * Makes a key and does not store it. Call this function outside transactions, because the generation of an RSA key can
 * take hundreds of milliseconds.
 */
export async function newKey(
  needs: SigningKeysNeeds,
  of: { alg: PublicKeyAlgorithm; state: 'next' | 'active'; slot: Slot },
): Promise<SigningKeyRow> {
  let key = generateSigningKey(of.alg)
  // `keyward signing-keys revoke <kid>` would read an id that begins with a dash as an option.
  while (key.kid.startsWith('-')) key = generateSigningKey(of.alg)
  const { kid } = key
  const publicJwk = JSON.stringify(exportPublicJwk(key))
  const sealedPrivateKey = await needs.secrets.seal(sealContext(kid), exportPrivateKey(key))
  return { ...newRow(needs, { kid, ...of }), publicJwk, sealedPrivateKey }
}

/** The row of a new key without its public and private part. */
export function newRow(
  { settings, clock }: SigningKeysNeeds,
  { kid, alg, state, slot }: { kid: string; alg: SignatureAlgorithm; state: 'next' | 'active'; slot: Slot },
): SigningKeyRow {
  const now = clock.now()
  return {
    kid,
    alg,
    publicJwk: '',
    sealedPrivateKey: '',
    state,
    activeSlot: state === 'active' ? slot : null,
    nextSlot: state === 'next' ? nextSlotOf(slot, alg) : null,
    createdAt: now,
    activatedAt: state === 'active' ? now : null,
    retiredAt: null,
    expiresAt: null,
    revokedAt: null,
    longestToken: longestTokenOf(settings, slot),
  }
}

/** The lifetime of the tokens that the keys of a slot sign, in milliseconds. */
export const longestTokenOf = ({ tokenLifetime, idTokenLifetime }: SigningKeysNeeds['settings'], slot: Slot): number =>
  slot === 'active' ? tokenLifetime : idTokenLifetime

/**
 * Opens the private key of an `active` or `next` row that is not HS256.
 * @throws KeyringError when the sealed key was made with another SECRET_KEY, was altered, or belongs to another row
 */
export function openPrivateKey(secrets: Secrets, row: SigningKeyRow): SigningKey {
  const der = secrets.unseal(sealContext(row.kid), row.sealedPrivateKey)
  if (!der) throw unopenable()
  return importPrivateKey(row.alg as PublicKeyAlgorithm, der)
}

/** Returns true when one of these secrets opens the private key of a row, or when the row has no private key. */
export const opensWith = (secrets: RootSecrets, { kid, sealedPrivateKey }: SigningKeyRow): boolean =>
  sealedPrivateKey === '' || unseal(secrets, sealContext(kid), sealedPrivateKey) !== undefined

/**
 * Reads every key and checks that the secrets of this process open all private keys. Call this function before you
 * store another key, so that a process with a wrong SECRET_KEY stores none.
 * @throws KeyringError when a private key cannot be opened
 */
export async function readKeys({ store: db, secrets }: SigningKeysNeeds): Promise<SigningKeyRow[]> {
  const rows = await store.all(db)
  for (const row of rows) if (row.sealedPrivateKey !== '') openPrivateKey(secrets, row)
  return rows
}

/** Replaces the seals of the private keys of `rows` by seals of SECRET_KEY, where `Secrets.reseal` allows it. */
export async function renewSeals(needs: SigningKeysNeeds, rows: readonly SigningKeyRow[]): Promise<void> {
  const { secrets, store: db } = needs
  for (const { kid, sealedPrivateKey: from } of rows) {
    if (from === '') continue
    const to = await secrets.reseal(sealContext(kid), from)
    if (to !== undefined) await store.replaceSeal(db, { kid, from, to })
  }
}
