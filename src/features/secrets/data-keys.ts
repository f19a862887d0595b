import type { EpochMs } from '../../lib/clock.ts'
import { deriveKey } from '../../lib/hash.ts'
import { randomId } from '../../lib/random.ts'
import { sealedWith, secretId, unseal } from '../../lib/seal.ts'
import { KeyringError, unopenable } from './keyring-error.ts'
import { derivedLabels, type Purpose, purposes } from './purposes.ts'
import type { Sealer, SecretsParts } from './secrets.ts'
import * as store from './store.ts'

/**
 * The data keys of one purpose, 32 bytes each. MACs are made with the current key. MACs of former keys are accepted.
 */
export type MacKeys = readonly [current: Uint8Array, ...former: Uint8Array[]]

/** The data keys as this process last read them. */
export interface DataKeys {
  of(purpose: Purpose): MacKeys
  /**
   * The opened keys, by the id of the row. The next `loadDataKeys` reuses these keys, because this process may not be
   * able to open a seal that another process has replaced.
   */
  byId: ReadonlyMap<string, Uint8Array>
}

/** The values with a MAC of a former data key that are still accepted. */
export interface FormerValues {
  count: number
  /** When the last of them ends, if nobody uses it before; null when there is none, or one has no end. */
  until: EpochMs | null
}

/** The stored data keys, as an inspection finds them. */
export interface DataKeysFound {
  /** How many data keys are stored. */
  total: number
  /** The purposes with a data key whose seal does not open. */
  unreadable: readonly string[]
  /** The purposes without a current data key. The next start of a server, and the next command, makes these keys. */
  missing: readonly Purpose[]
}

/** Binds a sealed data key to its row and purpose. A sealed key that is copied to another row cannot be opened. */
const sealContext = ({ id, purpose }: Pick<store.DataKeyRow, 'id' | 'purpose'>): string =>
  `data_keys.sealed_key:${purpose}:${id}`

/**
 * Makes the missing data keys: random keys, or on the database of a version without data keys the keys that this
 * version derived from SECRET_KEY. When several processes start at once, only one process adds the keys, because a
 * unique index allows one current key per purpose.
 * @throws KeyringError when a data key is missing and another key was sealed with a secret that this process lacks
 */
export async function prepareDataKeys(parts: SecretsParts): Promise<void> {
  const { store: db, secrets, random } = parts
  const rows = await store.allKeys(db)
  const missing = purposes.filter((purpose) => !rows.some((row) => row.currentSlot === purpose))
  if (missing.length === 0) return
  // A command with a wrong SECRET_KEY must not seal the data keys: no server could open them.
  await checkSeals(parts)
  const isUpgrade = rows.length === 0 && (await store.hasSigningKeys(db))
  const seal = await parts.sealer()
  const made = missing.map((purpose) => {
    const label = isUpgrade ? derivedLabels[purpose] : undefined
    const [key, ...others] = label ? secrets.map((secret) => deriveKey(secret, label)) : [random.bytes(32)]
    const current = { ...newRow(parts, seal, { purpose, key: key! }), currentSlot: purpose }
    return { current, former: others.map((other) => newRow(parts, seal, { purpose, key: other })) }
  })
  await db.transaction(async () => {
    for (const { current, former } of made)
      if (await store.insertKey(db, current)) for (const row of former) await store.insertKey(db, row)
  })
}

/** See `checkSecrets`. */
export async function checkSeals({ store: db, secrets }: Pick<SecretsParts, 'store' | 'secrets'>): Promise<void> {
  const ids = secrets.map(secretId)
  const keys = (await store.allKeys(db)).map(({ sealedKey }) => sealedKey)
  const others = (await store.countOtherSeals(db)).map(({ prefix }) => prefix)
  if ([...keys, ...others].some((seal) => !ids.includes(sealedWith(seal) ?? ''))) throw unopenable()
}

/** See `inspectDataKeys` of `secrets.ts`. */
export async function inspectKeys({
  store: db,
  secrets,
}: Pick<SecretsParts, 'store' | 'secrets'>): Promise<DataKeysFound> {
  const rows = await store.allKeys(db)
  const closed = rows.filter((row) => unseal(secrets, sealContext(row), row.sealedKey) === undefined)
  return {
    total: rows.length,
    unreadable: [...new Set(closed.map(({ purpose }) => purpose))],
    missing: purposes.filter((purpose) => !rows.some((row) => row.currentSlot === purpose)),
  }
}

/** See `inspectFormerKeys` of `secrets.ts`. */
export async function formerKeysSince({ store: db }: Pick<SecretsParts, 'store'>): Promise<Map<string, EpochMs>> {
  const rows = await store.allKeys(db)
  const hasFormer = (purpose: string) => rows.some((row) => row.purpose === purpose && row.currentSlot === null)
  const current = rows.filter(({ purpose, currentSlot }) => currentSlot !== null && hasFormer(purpose))
  return new Map(current.map(({ purpose, createdAt }) => [purpose, createdAt]))
}

function newRow(
  { clock, random }: SecretsParts,
  seal: Sealer,
  { purpose, key }: { purpose: Purpose; key: Uint8Array },
): store.DataKeyRow {
  const id = randomId(random)
  const sealedKey = seal(sealContext({ id, purpose }), key)
  return { id, purpose, currentSlot: null, sealedKey, createdAt: clock.now() }
}

/**
 * Reads the data keys.
 * @param known the keys that this process opened before. With `known`, a seal that does not open is only logged
 * @throws KeyringError when a seal does not open and there is no `known`
 */
export async function loadDataKeys({ store: db, secrets, log }: SecretsParts, known?: DataKeys): Promise<DataKeys> {
  const rows = await store.allKeys(db)
  const byId = new Map<string, Uint8Array>()
  for (const row of rows) {
    const key = known?.byId.get(row.id) ?? unseal(secrets, sealContext(row), row.sealedKey)
    if (key) byId.set(row.id, key)
    else if (known) log.error('data_key_unreadable', { purpose: row.purpose, hint: otherSecret })
    else throw unopenable()
  }
  const keys = new Map<string, MacKeys>()
  for (const purpose of purposes) {
    const own = rows.filter((row) => row.purpose === purpose && byId.has(row.id))
    const current = own.find(({ currentSlot }) => currentSlot !== null)
    const former = known?.of(purpose)
    // A process with another SECRET_KEY has renewed the key. This process cannot open the new key and uses its old one.
    if (!current && former) keys.set(purpose, former)
    if (!current) continue
    const others = own.filter((row) => row !== current)
    keys.set(purpose, [byId.get(current.id)!, ...others.map(({ id }) => byId.get(id)!)])
  }
  return {
    byId,
    of(purpose) {
      const found = keys.get(purpose)
      if (!found) throw new KeyringError(`The table data_keys has no key for ${purpose}.`)
      return found
    },
  }
}

const otherSecret =
  'it was sealed with another SECRET_KEY: set that as SECRET_KEY_PREVIOUS, or use one SECRET_KEY for all replicas'

/** See `Secrets.maintain`. */
export async function moveSeals(parts: SecretsParts): Promise<void> {
  const { store: db, secrets, processes, sealer } = parts
  const current = secretId(secrets[0])
  const rows = (await store.allKeys(db)).filter(({ sealedKey }) => sealedWith(sealedKey) !== current)
  if (rows.length === 0 || !(await processes.mayMoveSeals())) return
  for (const row of rows) {
    const key = unseal(secrets, sealContext(row), row.sealedKey)
    if (!key) continue
    const seal = await sealer()
    await store.replaceSeal(db, { id: row.id, from: row.sealedKey, to: seal(sealContext(row), key) })
  }
}

export async function renewDataKeys(parts: SecretsParts, renewed: readonly Purpose[]): Promise<void> {
  const { store: db, audit, random } = parts
  const seal = await parts.sealer()
  const rows = renewed.map((purpose) => newRow(parts, seal, { purpose, key: random.bytes(32) }))
  await db.transaction(async () => {
    for (const row of rows) {
      await store.replaceCurrent(db, row)
      await store.deleteFormer(db, row.purpose)
    }
    await audit.record({ event: 'secrets.renewed', details: { purposes: renewed.join(' ') } })
  })
}
