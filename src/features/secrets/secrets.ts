import type { Clock, EpochMs } from '../../lib/clock.ts'
import type { Log } from '../../lib/log.ts'
import { type Random, randomId } from '../../lib/random.ts'
import { seal, sealedWith, secretId, unseal } from '../../lib/seal.ts'
import type { Store } from '../../storage/store.ts'
import type { Audit } from '../audit/audit.ts'
import { loadDataKeys, type MacKeys, moveSeals, prepareDataKeys, renewDataKeys } from './data-keys.ts'
import { type Processes, processesOf } from './processes.ts'
import type { Purpose } from './purposes.ts'
import { readStatus, type SecretsStatus } from './status.ts'

export type { MacKeys } from './data-keys.ts'
export { KeyringError, unopenable } from './keyring-error.ts'
export type { Purpose } from './purposes.ts'
export type { SecretsStatus } from './status.ts'

export interface SecretsNeeds {
  store: Store
  clock: Clock
  random: Random
  log: Log
  audit: Audit
  /** SECRET_KEY, then SECRET_KEY_PREVIOUS while SECRET_KEY is being replaced. */
  secrets: RootSecrets
}

export type RootSecrets = readonly [current: string, ...previous: string[]]

/** What the files of this feature share. */
export interface SecretsParts extends SecretsNeeds {
  processes: Processes
  /** Seals a data key or a private key; see `Secrets.seal`. */
  sealUnder: (context: string, plaintext: Uint8Array) => Promise<string>
}

/**
 * All that depends on SECRET_KEY: seals, and the keys of MACs.
 *
 * MACs (refresh tokens, device tokens, API keys, typed names, names of deleted users) are keyed by random data keys, one
 * per purpose. A data key is stored, sealed under SECRET_KEY. So a change of SECRET_KEY changes no MAC: it only replaces
 * the seals. Neither SECRET_KEY nor a copy of the database alone is enough to make a MAC.
 *
 * SECRET_KEY is replaced in three restarts, so that nothing is made that a running process cannot read:
 * 1. `SECRET_KEY=old SECRET_KEY_PREVIOUS=new`: every process can open both, and seals with the old one;
 * 2. `SECRET_KEY=new SECRET_KEY_PREVIOUS=old`: the seals move to the new one;
 * 3. `SECRET_KEY=new`.
 *
 * Every server has a row in `processes` that names the secrets with which it can open seals. Seals move only when every
 * running process can open the result, and only towards the SECRET_KEY of the process that started last: otherwise the
 * processes of the first and the second step would move them to and fro. Until then a process with a new SECRET_KEY seals
 * with the one that all can open. So the steps may also be taken too fast, or back. A process keeps what it has opened in
 * memory, and goes on even when a seal moves away from it.
 *
 * A version without data keys derived the keys of MACs from SECRET_KEY. On its database the derived keys are stored as
 * the data keys: its tokens stay valid, and its processes may run beside the new ones. Those derived from
 * SECRET_KEY_PREVIOUS are stored as former keys: they are accepted, and a value is made anew with the current key when it
 * is used. `renew` replaces derived keys by random ones too.
 */
export interface Secrets {
  /** The keys of one purpose, as this process last read them. */
  macKeys(purpose: Purpose): MacKeys
  /** When the current key of a purpose took the place of others that are still accepted; undefined without those. */
  formerUntil(purpose: Purpose): EpochMs | undefined
  /**
   * Seals `plaintext` so that every running process can open it. Call it outside transactions.
   * @param context names the row and column; see `seal` in `lib/seal.ts`
   */
  seal(context: string, plaintext: Uint8Array): Promise<string>
  /** Opens what `seal` made; undefined when no secret of this process opens it. */
  unseal(context: string, sealed: string): Uint8Array | undefined
  /**
   * Seals anew with SECRET_KEY.
   * @returns undefined when SECRET_KEY sealed it already, or when a running process could not open the result
   */
  reseal(context: string, sealed: string): Promise<string | undefined>
  /** Records that this server runs, for three minutes. A server calls it at its start and once a minute. */
  heartbeat(): Promise<void>
  /** Records that this server has stopped. */
  leave(): Promise<void>
  /** Reads the data keys that another process has replaced. Every process runs this every 10 s. */
  poll(): Promise<void>
  /** Moves the seals of data keys to SECRET_KEY when every running process can open it. One process runs this for all. */
  maintain(): Promise<void>
  /**
   * Replaces the data keys of these purposes by random ones and deletes the former ones: values with a MAC of a deleted
   * key are refused, at other processes within 30 s.
   */
  renew(purposes: readonly Purpose[]): Promise<void>
  /** How far a change of SECRET_KEY has come. */
  status(): Promise<SecretsStatus>
}

/**
 * Opens the data keys, and makes those that are missing.
 * @throws KeyringError when a stored key was sealed with another SECRET_KEY
 */
export async function openSecrets(needs: SecretsNeeds): Promise<Secrets> {
  const { store: db, clock, random, secrets } = needs
  const processes = processesOf({ db, clock, secrets, id: randomId(random) })
  const open = (context: string, sealed: string) => unseal(secrets, context, sealed)
  const parts: SecretsParts = {
    ...needs,
    processes,
    sealUnder: async (context, plaintext) => seal(await processes.commonSecret(), context, plaintext, random),
  }
  await prepareDataKeys(parts)
  let keys = await loadDataKeys(parts)
  return {
    macKeys: (purpose) => keys.of(purpose),
    formerUntil: (purpose) => keys.formerUntil(purpose),
    seal: parts.sealUnder,
    unseal: open,
    async reseal(context, sealed) {
      if (sealedWith(sealed) === secretId(secrets[0]) || !(await processes.mayMoveSeals())) return undefined
      const plaintext = open(context, sealed)
      return plaintext && seal(secrets[0], context, plaintext, random)
    },
    heartbeat: processes.heartbeat,
    leave: processes.leave,
    async poll() {
      keys = await loadDataKeys(parts, keys)
    },
    maintain: () => moveSeals(parts),
    async renew(purposes) {
      await renewDataKeys(parts, purposes)
      keys = await loadDataKeys(parts, keys)
    },
    status: () => readStatus(parts),
  }
}
