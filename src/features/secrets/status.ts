import { sealedWith, secretId } from '../../lib/seal.ts'
import { opens } from './processes.ts'
import type { SecretsParts } from './secrets.ts'
import * as store from './store.ts'

/** The progress of a change of SECRET_KEY, which is complete when all seals are made with the new SECRET_KEY. */
export interface SecretsStatus {
  /** The number of stored data keys and other seals (`countOtherSeals`), and how many of them SECRET_KEY seals. */
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
  const seals = [
    ...keys.map(({ sealedKey }) => ({ prefix: sealedKey, seals: 1 })),
    ...(await store.countOtherSeals(db)),
  ]
  const running = await store.runningProcesses(db, clock.now())
  const [current, previous] = secrets.map(secretId)
  const openers = (id: string | undefined) => running.filter((one) => id !== undefined && opens(one, id)).length
  return {
    seals: { total: sum(seals), current: sum(seals.filter(({ prefix }) => sealedWith(prefix) === current)) },
    processes: {
      total: running.length,
      openCurrent: openers(current),
      openPrevious: openers(previous),
      sameCurrent: running.filter((one) => one.secretId === current).length,
    },
  }
}

const sum = (of: readonly { seals: number }[]): number => of.reduce((total, { seals }) => total + seals, 0)
