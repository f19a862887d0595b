import { readdirSync, readFileSync } from 'node:fs'
import { availableParallelism, getPriority, platform, setPriority } from 'node:os'
import { errorFields, type Log } from '../../lib/log.ts'

/** What is asked of the operating system; tests pass their own. */
export interface ThreadSystem {
  /** This process's threads with their names. */
  threads(): { id: number; name: string }[]
  /** Niceness of the calling thread. */
  ownNice(): number
  setNice(thread: number, nice: number): void
}

export interface HashPriorityOptions {
  /** By how much the threads that hash are nicer than the rest of the process, 0 to 19; 0 leaves them alone. */
  nice: number
  log?: Log
  /** `null` where threads have no priority of their own. */
  system?: ThreadSystem | null
  /** How many threads Bun's pool grows to. */
  poolSize?: number
}

/**
 * Lowers the priority of the threads that Bun hashes on, so that a flood of logins does not delay other requests.
 *
 * The answer is to be called after each hash: Bun starts its pool thread by thread, when there is work, and what has
 * started since is found then. Once the pool is complete a call does nothing. It never throws; where the system
 * refuses, it says so once in the log and gives up. Only Linux has priorities per thread; elsewhere it does nothing.
 * A pool made larger than the cores (by `UV_THREADPOOL_SIZE`) is lowered in part.
 */
export function createHashPriority({
  nice,
  log,
  system = platform() === 'linux' ? linuxThreads : null,
  poolSize = Math.max(2, availableParallelism()),
}: HashPriorityOptions): () => void {
  const lowered = new Set<number>()
  let done = nice === 0 || system === null
  return () => {
    if (done || system === null) return
    try {
      // Added to what the process has: an absolute value would raise the priority of a service started as nice 15.
      const target = Math.min(19, system.ownNice() + nice)
      for (const { id, name } of system.threads()) {
        if (!name.startsWith('Bun Pool') || lowered.has(id)) continue
        system.setNice(id, target)
        lowered.add(id)
      }
      if (lowered.size < poolSize) return
      done = true
      log?.debug('hash_priority_lowered', { threads: lowered.size, nice: target })
    } catch (error) {
      done = true
      log?.debug('hash_priority_unchanged', errorFields(error))
    }
  }
}

const taskFolder = '/proc/self/task'

// Synchronous on purpose: asynchronous file access would wait behind the hashes in the very pool it looks at.
const linuxThreads: ThreadSystem = {
  threads: () => readdirSync(taskFolder).map((id) => ({ id: Number(id), name: threadName(id) })),
  ownNice: () => getPriority(),
  setNice: (thread, nice) => setPriority(thread, nice),
}

function threadName(id: string): string {
  try {
    return readFileSync(`${taskFolder}/${id}/comm`, 'utf8').trim()
  } catch {
    return '' // it ended between the listing and now
  }
}
