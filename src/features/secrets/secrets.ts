import type { Clock, EpochMs } from '../../lib/clock.ts'
import type { Log } from '../../lib/log.ts'
import { type Random, randomId } from '../../lib/random.ts'
import { seal, sealedWith, sealPrefix, secretId, unseal } from '../../lib/seal.ts'
import type { Store } from '../../storage/store.ts'
import type { Audit } from '../audit/audit.ts'
import {
  checkSeals,
  type DataKeysFound,
  formerKeysSince,
  inspectKeys,
  loadDataKeys,
  type MacKeys,
  moveSeals,
  prepareDataKeys,
  renewDataKeys,
} from './data-keys.ts'
import { type Processes, processesOf } from './processes.ts'
import type { Purpose } from './purposes.ts'
import { readStatus, type SecretsStatus } from './status.ts'

export type { DataKeysFound, FormerValues, MacKeys } from './data-keys.ts'
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

/** Makes a seal; see `seal` in `lib/seal.ts`. */
export type Sealer = (context: string, plaintext: Uint8Array) => string

export type RootSecrets = readonly [current: string, ...previous: string[]]

/** The needs of the other files of this feature. */
export interface SecretsParts extends SecretsNeeds {
  processes: Processes
  /** See `Secrets.sealer`. */
  sealer: () => Promise<Sealer>
}

/**
 * Everything that depends on SECRET_KEY: seals, and the keys of MACs.
 *
 * Refresh tokens, device tokens, API keys, typed names, names of deleted users, and the tokens and codes of mails have
 * MACs. The key of a MAC is a data key: 32 random bytes, one current data key per purpose, stored in the database under
 * a seal of SECRET_KEY. A change of SECRET_KEY therefore changes no MAC and only replaces seals. Neither SECRET_KEY nor
 * a copy of the database alone is enough to make a MAC.
 *
 * SECRET_KEY is replaced in three restarts. At no time does a process make a seal that another running process cannot
 * open:
 * 1. `SECRET_KEY=old SECRET_KEY_PREVIOUS=new`: every process can open seals of both secrets, and seals with the old
 *    secret.
 * 2. `SECRET_KEY=new SECRET_KEY_PREVIOUS=old`: the processes replace the seals of the old secret by seals of the new
 *    secret.
 * 3. `SECRET_KEY=new`.
 *
 * Every server has a row in the table `processes`. The row names the secrets with which that server can open seals.
 * - A seal is replaced only when every running server can open the new seal.
 * - A server replaces no seal while a server runs that started later and has another SECRET_KEY. Otherwise the servers
 *   of step 1 and the servers of step 2 would replace each other's seals again and again.
 * - A new key is sealed with the first secret of this process with which every running server can open seals.
 *
 * Therefore no key is lost when an operator leaves out step 1 or goes back a step. A process has in memory every key
 * that it has opened, so the process continues when another process replaces a seal.
 *
 * Versions of Keyward without data keys derived the keys of MACs from SECRET_KEY. On the database of such a version,
 * Keyward stores the derived keys as data keys. The tokens of such a version therefore stay valid, and its processes
 * can run beside new processes. The keys that were derived from SECRET_KEY_PREVIOUS are stored as former keys. A MAC of
 * a former key is accepted; the next login, refresh or use of the API key replaces the MAC by a MAC of the current key.
 * `renew` replaces derived keys by random keys.
 */
export interface Secrets {
  /**
   * The data keys of one purpose, as this process last read them.
   * @throws KeyringError when the database has no current key for the purpose
   */
  macKeys(purpose: Purpose): MacKeys
  /**
   * Seals `plaintext` with a secret with which every running server can open seals; with SECRET_KEY when there is no
   * such secret. Call it outside transactions.
   * @param context names the row and column; see `seal` in `lib/seal.ts`
   */
  seal(context: string, plaintext: Uint8Array): Promise<string>
  /**
   * Chooses the secret as `seal` does, once for many seals. Call it outside transactions; the returned function needs no
   * database, so a row can be sealed with its new id in the transaction that inserts it.
   */
  sealer(): Promise<Sealer>
  /** Opens a seal. @returns undefined when no secret of this process opens the seal */
  unseal(context: string, sealed: string): Uint8Array | undefined
  /**
   * Makes a seal of SECRET_KEY out of a seal of SECRET_KEY_PREVIOUS.
   * @returns undefined when `sealed` is already a seal of SECRET_KEY or does not open, or when the rules of `Secrets`
   *   do not allow to replace seals now
   */
  reseal(context: string, sealed: string): Promise<string | undefined>
  /**
   * The beginnings (`SEAL_PREFIX` characters) of the seals that `reseal` replaces: those of SECRET_KEY_PREVIOUS. Empty
   * when it is not set, so a table with very many seals is only searched during a change.
   */
  formerSealPrefixes: readonly string[]
  /**
   * Records for three minutes that this server is running. A server calls `heartbeat` at its start and every minute.
   */
  heartbeat(): Promise<void>
  /** Records that this server has stopped. */
  leave(): Promise<void>
  /** Reads the data keys, which another process may have replaced. Every server calls `poll` every 10 s. */
  poll(): Promise<void>
  /**
   * Replaces the seals of data keys by seals of SECRET_KEY, if the rules of `Secrets` allow it. A server calls
   * `maintain` at its start, and one server calls it every minute.
   */
  maintain(): Promise<void>
  /**
   * Gives each of these purposes a new random data key, deletes the other keys of the purpose, and records one audit
   * event. After this call, this process refuses MACs of the deleted keys. Other servers do so within 30 s.
   */
  renew(purposes: readonly Purpose[]): Promise<void>
  /** Reads the progress of a change of SECRET_KEY. */
  status(): Promise<SecretsStatus>
}

/**
 * Checks that every stored key was sealed with one of `secrets`. Writes nothing.
 * @throws KeyringError when a key was sealed with another secret
 */
export const checkSecrets = (needs: Pick<SecretsNeeds, 'store' | 'secrets'>): Promise<void> => checkSeals(needs)

/** Finds out which data keys these secrets open, and which are missing. Writes nothing, and reports every key. */
export const inspectDataKeys = (needs: Pick<SecretsNeeds, 'store' | 'secrets'>): Promise<DataKeysFound> =>
  inspectKeys(needs)

/**
 * Finds the purposes that have a former data key, and the time when their current key was made. No MAC of a former key
 * is younger, unless a server of a version without data keys went on beside a newer one. Writes nothing, and opens no
 * seal.
 */
export const inspectFormerKeys = (needs: Pick<SecretsNeeds, 'store'>): Promise<ReadonlyMap<string, EpochMs>> =>
  formerKeysSince(needs)

/** As `Secrets.status`, also where the data keys do not open or are missing. Writes nothing. */
export const inspectSecrets = (needs: Pick<SecretsNeeds, 'store' | 'clock' | 'secrets'>): Promise<SecretsStatus> =>
  readStatus(needs)

/**
 * Opens the data keys, and makes the missing ones.
 * @throws KeyringError when a stored key was sealed with a secret that this process does not have
 */
export async function openSecrets(needs: SecretsNeeds): Promise<Secrets> {
  const { store: db, clock, random, secrets } = needs
  const processes = processesOf({ db, clock, secrets, id: randomId(random) })
  const open = (context: string, sealed: string) => unseal(secrets, context, sealed)
  const sealer = async (): Promise<Sealer> => {
    const secret = await processes.commonSecret()
    return (context, plaintext) => seal(secret, context, plaintext, random)
  }
  const parts: SecretsParts = { ...needs, processes, sealer }
  await prepareDataKeys(parts)
  let keys = await loadDataKeys(parts)
  return {
    macKeys: (purpose) => keys.of(purpose),
    seal: async (context, plaintext) => (await sealer())(context, plaintext),
    sealer,
    unseal: open,
    async reseal(context, sealed) {
      if (sealedWith(sealed) === secretId(secrets[0]) || !(await processes.mayMoveSeals())) return undefined
      const plaintext = open(context, sealed)
      return plaintext && seal(secrets[0], context, plaintext, random)
    },
    formerSealPrefixes: secrets.slice(1).map(sealPrefix),
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
