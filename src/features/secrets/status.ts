import { sealedWith, secretId } from '../../lib/seal.ts'
import { opens } from './processes.ts'
import type { SecretsParts } from './secrets.ts'
import * as store from './store.ts'

/** The progress of a change of SECRET_KEY, which is complete when all seals are made with the new SECRET_KEY. */
export interface SecretsStatus {
  /** The number of stored data keys, private signing keys and secrets of providers, and how many of them SECRET_KEY seals. */
  seals: { total: number; current: number }
  /**
   * The number of running servers, and how many of these servers can open seals of SECRET_KEY, can open seals of
   * SECRET_KEY_PREVIOUS (0 when SECRET_KEY_PREVIOUS is not set), and have the same SECRET_KEY as this process.
   */
  processes: { total: number; openCurrent: number; openPrevious: number; sameCurrent: number }
}

export async function readStatus({
  store: db,
  clock,
  secrets,
}: Pick<SecretsParts, 'store' | 'clock' | 'secrets'>): Promise<SecretsStatus> {
  const keys = await store.allKeys(db)
  const others = [...(await store.signingKeySeals(db)), ...(await store.providerSeals(db))]
  const seals = [...keys.map(({ sealedKey }) => sealedKey), ...others]
  const running = await store.runningProcesses(db, clock.now())
  const [current, previous] = secrets.map(secretId)
  const openers = (id: string | undefined) => running.filter((one) => id !== undefined && opens(one, id)).length
  return {
    seals: { total: seals.length, current: seals.filter((one) => sealedWith(one) === current).length },
    processes: {
      total: running.length,
      openCurrent: openers(current),
      openPrevious: openers(previous),
      sameCurrent: running.filter((one) => one.secretId === current).length,
    },
  }
}
