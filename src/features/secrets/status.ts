import { sealedWith, secretId } from '../../lib/seal.ts'
import { opens } from './processes.ts'
import type { SecretsParts } from './secrets.ts'
import * as store from './store.ts'

/** How far a change of SECRET_KEY has come. */
export interface SecretsStatus {
  /** Stored keys, private signing keys among them, and how many of them are sealed with SECRET_KEY. */
  seals: { total: number; current: number }
  /** Running servers: how many can open SECRET_KEY, how many SECRET_KEY_PREVIOUS, and how many have this SECRET_KEY. */
  processes: { total: number; openCurrent: number; openPrevious: number; sameCurrent: number }
}

export async function readStatus({ store: db, clock, secrets }: SecretsParts): Promise<SecretsStatus> {
  const keys = await store.allKeys(db)
  const seals = [...keys.map(({ sealedKey }) => sealedKey), ...(await store.signingKeySeals(db))]
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
