import type { EpochMs } from '../../lib/clock.ts'
import {
  hmacKey,
  importPublicJwk,
  type PublicJwk,
  type SignatureAlgorithm,
  type SigningKey,
  type VerificationKey,
} from './jwk.ts'
import { type KeyDeps, prepareKeys } from './prepare.ts'
import { KeyringError, openPrivateKey } from './sealed-key.ts'
import { isAccepted, type SigningKeyRow } from './signing-key.ts'
import * as store from './store.ts'

/** The keys as this process last read them; nothing here waits for the database but `reload`. */
export interface Keyring {
  /** The key that signs now. */
  signing(): SigningKey
  /** The algorithm of the key that is to sign everywhere, also where this process cannot use it. */
  activeAlg(): SignatureAlgorithm | undefined
  /** The key a token names, if its signatures are still taken. */
  find(kid: string | undefined): VerificationKey | undefined
  /** What the JWKS shows: the public parts of all keys whose signatures are taken, the one that signs first. */
  published(): PublicJwk[]
  /** Reads the keys as they are stored at the call or later. Calls that come while one reads share the next one. */
  reload(): Promise<void>
  /** Tells `listener` of every key that was taken a moment ago and is no longer. */
  onDrop(listener: (kid: string) => void): void
  /** The key that should sign but that SECRET_KEY does not open; the former one signs on meanwhile. */
  unreadable(): string | undefined
  /** When this process opened it. */
  readonly openedAt: EpochMs
}

interface Entry {
  row: SigningKeyRow
  key: VerificationKey
  /** None for HS256. */
  jwk: PublicJwk | undefined
}

/**
 * Opens the signing keys.
 * @param options.prepare makes the first keys where there are none, and what else this configuration wants changed.
 *   Without it nothing is written: a command's settings may be other than the server's.
 * @throws KeyringError when a stored key was sealed with another SECRET_KEY, or JWT_SECRET was revoked
 */
export async function openKeyring(deps: KeyDeps, { prepare = true } = {}): Promise<Keyring> {
  const { config, clock } = deps
  const openedAt = clock.now()
  const secret = config.JWT_SECRET === undefined ? undefined : hmacKey(config.JWT_SECRET)
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

  /** The active key; where that is the JWT_SECRET of another configuration, the key that waits for this one's JWT_ALG. */
  function chooseSigner(rows: readonly SigningKeyRow[]): void {
    const active = rows.find(({ state }) => state === 'active')
    activeAlg = active?.alg
    const usable = active && (active.alg !== 'HS256' || active.kid === secret?.kid)
    const row = usable ? active : rows.find(({ nextSlot }) => nextSlot === config.JWT_ALG)
    if (row === undefined || row.kid === signing?.kid) return
    unreadable = undefined
    try {
      signing = row.alg === 'HS256' ? secret : openPrivateKey(config, row)
    } catch (error) {
      if (!(error instanceof KeyringError) || signing === undefined) throw error
      unreadable = row.kid
    }
  }

  async function load(): Promise<void> {
    const rows = await store.live(deps.store)
    const former = entries
    const now = clock.now()
    const taken = rows.filter((row) => isAccepted(row, now)).map(readEntry)
    entries = new Map(taken.flatMap((entry) => (entry ? [[entry.row.kid, entry]] : [])))
    for (const kid of former.keys()) if (!entries.has(kid)) for (const tell of listeners) tell(kid)
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

  if (prepare) await prepareKeys(deps)
  await reload()

  return {
    openedAt,
    signing() {
      if (signing === undefined) throw new KeyringError('There is no key to sign tokens with: start the server first.')
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
