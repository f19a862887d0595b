import { type Clock, MINUTE } from '../../lib/clock.ts'
import { secretId } from '../../lib/seal.ts'
import type { Db } from '../../storage/store.ts'
import type { RootSecrets } from './secrets.ts'
import * as store from './store.ts'

/** A server counts as running for this long after its last heartbeat. A heartbeat is due once a minute. */
const ALIVE_FOR = 3 * MINUTE

/** The Keyward servers that run on this database. Each server has a row in the table `processes`. */
export interface Processes {
  heartbeat(): Promise<void>
  leave(): Promise<void>
  /**
   * Returns the first secret of this process, SECRET_KEY before SECRET_KEY_PREVIOUS, with which every running server
   * can open seals; SECRET_KEY when there is no such secret.
   */
  commonSecret(): Promise<string>
  /**
   * Returns true when every running server can open seals of SECRET_KEY, and every server that started after this
   * process has the same SECRET_KEY. A starting server has no row yet: its first heartbeat comes after it has
   * opened all keys. If another server replaces seals before, the starting server fails when it cannot open the seals.
   */
  mayMoveSeals(): Promise<boolean>
}

export function processesOf({
  db,
  clock,
  secrets,
  id,
}: {
  db: Db
  clock: Clock
  secrets: RootSecrets
  id: string
}): Processes {
  const startedAt = clock.now()
  const [own] = secrets.map(secretId)
  let isRecorded = false
  const running = () => store.runningProcesses(db, clock.now())
  return {
    async heartbeat() {
      const now = clock.now()
      const row = { id, secretId: own!, opens: secrets.map(secretId).join(' '), startedAt, expiresAt: now + ALIVE_FOR }
      isRecorded = true
      await store.upsertProcess(db, row)
      await store.deleteEndedProcesses(db, now)
    },
    async leave() {
      if (isRecorded) await store.deleteProcess(db, id)
    },
    async commonSecret() {
      const others = await running()
      return secrets.find((secret) => others.every((other) => opens(other, secretId(secret)))) ?? secrets[0]
    },
    async mayMoveSeals() {
      const others = await running()
      return others.every((other) => opens(other, own!) && (other.secretId === own || other.startedAt <= startedAt))
    },
  }
}

export const opens = ({ opens: ids }: store.ProcessRow, id: string): boolean => ids.split(' ').includes(id)
