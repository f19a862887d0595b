import type { EpochMs } from '../../lib/clock.ts'
import { KeyringError } from '../secrets/secrets.ts'
import {
  hmacKey,
  importPublicJwk,
  type PublicJwk,
  type SignatureAlgorithm,
  type SigningKey,
  type VerificationKey,
} from './jwk.ts'
import { openPrivateKey } from './sealed-key.ts'
import { isAccepted, type SigningKeyRow } from './signing-key.ts'
import type { SigningKeysNeeds } from './signing-keys.ts'
import * as store from './store.ts'

/** The signing keys as this process last read them. Only `reload` reads the database. */
export interface Keyring {
  /**
   * The key with which this process signs: the active key, or another key when this process cannot use the active key.
   * @throws KeyringError when there is no signing key
   */
  signing(): SigningKey
  /** The algorithm of the active key, even when this process cannot use the key. Undefined without an active key. */
  activeAlg(): SignatureAlgorithm | undefined
  /** The key with this `kid`. Undefined when the key is unknown or its signatures are no longer accepted. */
  find(kid: string | undefined): VerificationKey | undefined
  /** The public keys for the JWKS: all keys whose signatures are accepted, the active key first. HS256 has none. */
  published(): PublicJwk[]
  /**
   * Reads the stored keys. All calls during a running read share one further read, because the keys may have changed
   * after the running read began.
   * @throws KeyringError when this process cannot open the key that it should sign with, and has never had another key
   */
  reload(): Promise<void>
  /** Makes `reload` call `listener` with the `kid` of each key whose signatures are no longer accepted. */
  onDrop(listener: (kid: string) => void): void
  /**
   * The `kid` of the key that this process should sign with but cannot open, because no secret of this process opens
   * the seal. The process then signs with the key that it used before. Undefined when there is no such key.
   */
  unreadable(): string | undefined
  readonly openedAt: EpochMs
}

interface Entry {
  row: SigningKeyRow
  key: VerificationKey
  /** Undefined for HS256, which has no public key. */
  jwk: PublicJwk | undefined
}

export async function openKeyring({ store: db, clock, secrets, settings }: SigningKeysNeeds): Promise<Keyring> {
  const openedAt = clock.now()
  const secret = settings.hmacSecret === undefined ? undefined : hmacKey(settings.hmacSecret)
  const listeners: ((kid: string) => void)[] = []
  let entries = new Map<string, Entry>()
  let signing: SigningKey | undefined
  let activeAlg: SignatureAlgorithm | undefined
  let unreadable: string | undefined

  function readEntry(row: SigningKeyRow): Entry | undefined {
    const known = entries.get(row.kid)
    if (known) return { ...known, row }
    if (row.alg === 'HS256') return secret?.kid === row.kid ? { row, key: secret, jwk: undefined } : undefined
    const jwk = JSON.parse(row.publicJwk) as PublicJwk
    return { row, key: importPublicJwk(jwk), jwk }
  }

  /**
   * Chooses the key with which this process signs: the active key. When there is no active key, or the active key is a
   * JWT_SECRET that this process does not have, the choice is the next key of the JWT_ALG of this process. When no
   * secret opens the chosen key, the process goes on with the key that it used before.
   * @throws KeyringError when no secret opens the chosen key and the process has not used a key before
   */
  function chooseSigner(rows: readonly SigningKeyRow[]): void {
    const active = rows.find(({ state }) => state === 'active')
    activeAlg = active?.alg
    const usable = active && (active.alg !== 'HS256' || active.kid === secret?.kid)
    const row = usable ? active : rows.find(({ nextSlot }) => nextSlot === settings.alg)
    if (row === undefined) return
    unreadable = undefined
    if (row.kid === signing?.kid) return
    try {
      signing = row.alg === 'HS256' ? secret : openPrivateKey(secrets, row)
    } catch (error) {
      if (!(error instanceof KeyringError) || signing === undefined) throw error
      unreadable = row.kid
    }
  }

  async function load(): Promise<void> {
    const rows = await store.all(db)
    const former = entries
    const now = clock.now()
    const accepted = rows.filter((row) => isAccepted(row, now)).map(readEntry)
    entries = new Map(accepted.flatMap((entry) => (entry ? [[entry.row.kid, entry]] : [])))
    for (const kid of former.keys()) if (!entries.has(kid)) for (const listener of listeners) listener(kid)
    chooseSigner(rows)
  }

  let running: Promise<void> | undefined
  let waiting: Promise<void> | undefined
  function reload(): Promise<void> {
    if (running) {
      waiting ??= running
        .catch(() => {})
        .then(() => {
          waiting = undefined
          return reload()
        })
      return waiting
    }
    running = load().finally(() => {
      running = undefined
    })
    return running
  }

  await reload()

  return {
    openedAt,
    signing() {
      if (signing === undefined) throw new KeyringError('There is no signing key: start the server first.')
      return signing
    },
    activeAlg: () => activeAlg,
    find(kid) {
      const entry = kid === undefined ? undefined : entries.get(kid)
      return entry && isAccepted(entry.row, clock.now()) ? entry.key : undefined
    },
    published() {
      const now = clock.now()
      return [...entries.values()]
        .filter(({ row }) => isAccepted(row, now))
        .sort((a, b) => Number(b.row.state === 'active') - Number(a.row.state === 'active'))
        .flatMap(({ jwk }) => jwk ?? [])
    },
    reload,
    onDrop: (listener) => {
      listeners.push(listener)
    },
    unreadable: () => unreadable,
  }
}
