import { type EpochMs, SECOND } from '../../lib/clock.ts'
import { KeyringError } from '../secrets/secrets.ts'
import {
  hmacKey,
  importPublicJwk,
  type PublicJwk,
  type PublicKeyAlgorithm,
  type SignatureAlgorithm,
  type SigningKey,
  type VerificationKey,
} from './jwk.ts'
import { openPrivateKey } from './sealed-key.ts'
import { activeOf, algOf, idTokenSlots, isAccepted, type SigningKeyRow } from './signing-key.ts'
import type { SigningKeysNeeds } from './signing-keys.ts'
import * as store from './store.ts'

/** The signing keys as this process last read them. Only `reload` reads the database. */
export interface Keyring {
  /**
   * The key with which this process signs access tokens: the active key, or another key when this process cannot use the active key.
   * @throws KeyringError when there is no signing key
   */
  signing(): SigningKey
  /**
   * The key with which this process signs ID tokens and logout tokens of an algorithm. Undefined when there is none yet:
   * `SigningKeys.ensureIdTokenKey` makes one.
   */
  forIdTokens(alg: PublicKeyAlgorithm): SigningKey | undefined
  /** The algorithm of the active key, even when this process cannot use the key. Undefined without an active key. */
  activeAlg(): SignatureAlgorithm | undefined
  /** The key with this `kid`. Undefined when the key is unknown or its signatures are no longer accepted. */
  find(kid: string | undefined): VerificationKey | undefined
  /**
   * As `find`, and also finds a retired key whose tokens have expired, as long as the key is stored. Use it for tokens
   * that are evidence after they expired (`id_token_hint`). Never finds a revoked key.
   */
  findRetired(kid: string | undefined): VerificationKey | undefined
  /**
   * The public keys for the JWKS: all keys whose signatures are accepted, the key of access tokens first. HS256 has none.
   * The stored keys are read first, so a key that another process has made is there before anybody sees a token of it.
   * When they cannot be read within a second, the answer has the keys as this process last read them.
   */
  published(): Promise<PublicJwk[]>
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
  let retired = new Map<string, Entry>()
  let signing: SigningKey | undefined
  let idTokenSigners = new Map<PublicKeyAlgorithm, SigningKey>()
  let activeAlg: SignatureAlgorithm | undefined
  let unreadable: string | undefined

  function readEntry(row: SigningKeyRow): Entry | undefined {
    const known = entries.get(row.kid) ?? retired.get(row.kid)
    if (known) return { ...known, row }
    if (row.alg === 'HS256') return secret?.kid === row.kid ? { row, key: secret, jwk: undefined } : undefined
    const jwk = JSON.parse(row.publicJwk) as PublicJwk
    return { row, key: importPublicJwk(jwk), jwk }
  }

  /**
   * Chooses the key with which this process signs access tokens: the active key. When there is no active key, or the active key is a
   * JWT_SECRET that this process does not have, the choice is the next key of the JWT_ALG of this process. When no
   * secret opens the chosen key, the process goes on with the key that it used before.
   * @throws KeyringError when no secret opens the chosen key and the process has not used a key before
   */
  function chooseSigner(rows: readonly SigningKeyRow[]): void {
    const active = activeOf(rows)
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

  /**
   * Opens the active keys of ID tokens. As for access tokens, the process goes on with the key that it used before when
   * no secret opens the new one; without a former key it signs no ID tokens of this algorithm.
   */
  function chooseIdTokenSigners(rows: readonly SigningKeyRow[]): void {
    const chosen = new Map<PublicKeyAlgorithm, SigningKey>()
    for (const slot of idTokenSlots(rows)) {
      const [alg, row] = [algOf(slot), activeOf(rows, slot)]
      const former = idTokenSigners.get(alg)
      let key = former
      try {
        if (row && row.kid !== former?.kid) key = openPrivateKey(secrets, row)
      } catch (error) {
        if (!(error instanceof KeyringError)) throw error
        unreadable ??= row?.kid
      }
      if (key) chosen.set(alg, key)
    }
    idTokenSigners = chosen
  }

  async function load(): Promise<void> {
    const rows = await store.all(db)
    const former = entries
    const now = clock.now()
    const read = (those: readonly SigningKeyRow[]) =>
      new Map(those.map(readEntry).flatMap((entry) => (entry ? [[entry.row.kid, entry]] : [])))
    const accepted = read(rows.filter((row) => isAccepted(row, now)))
    retired = read(rows.filter(({ state, alg }) => state === 'retired' && alg !== 'HS256'))
    entries = accepted
    for (const kid of former.keys()) if (!entries.has(kid)) for (const listener of listeners) listener(kid)
    chooseSigner(rows)
    chooseIdTokenSigners(rows)
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
    forIdTokens: (alg) => idTokenSigners.get(alg),
    activeAlg: () => activeAlg,
    find(kid) {
      const entry = kid === undefined ? undefined : entries.get(kid)
      return entry && isAccepted(entry.row, clock.now()) ? entry.key : undefined
    },
    findRetired: (kid) => (kid === undefined ? undefined : (entries.get(kid) ?? retired.get(kid))?.key),
    async published() {
      await Promise.race([reload().catch(() => {}), clock.sleep(SECOND)])
      const now = clock.now()
      return [...entries.values()]
        .filter(({ row }) => isAccepted(row, now))
        .sort((a, b) => Number(b.row.activeSlot === 'active') - Number(a.row.activeSlot === 'active'))
        .flatMap(({ jwk }) => jwk ?? [])
    },
    reload,
    onDrop: (listener) => {
      listeners.push(listener)
    },
    unreadable: () => unreadable,
  }
}
