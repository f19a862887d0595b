import { type Clock, MINUTE } from '../../lib/clock.ts'
import { secretId } from '../../lib/seal.ts'
import type { Db } from '../../storage/store.ts'
import type { RootSecrets } from './secrets.ts'
import * as store from './store.ts'

/** A process counts as running for this long after its last heartbeat; a heartbeat comes once a minute. */
const ALIVE_FOR = 3 * MINUTE

/** What this process knows of the running servers of its database. */
export interface Processes {
  heartbeat(): Promise<void>
  leave(): Promise<void>
  /** Of this process's secrets the first that every running process can open; SECRET_KEY when there is none. */
  commonSecret(): Promise<string>
  /** Whether every running process can open SECRET_KEY, and none that started later has another SECRET_KEY. */
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
