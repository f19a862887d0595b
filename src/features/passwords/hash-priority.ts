import { readdirSync, readFileSync } from 'node:fs'
import { availableParallelism, getPriority, platform, setPriority } from 'node:os'
import { errorFields, type Log } from '../../lib/log.ts'

/** Reads and sets the priorities of threads. Tests pass their own implementation. */
export interface ThreadSystem {
  /** This process's threads with their names. */
  threads(): { id: number; name: string }[]
  /** The niceness of the calling thread. */
  ownNice(): number
  setNice(thread: number, nice: number): void
}

interface HashPriorityOptions {
  /** How much is added to the niceness of the process for the hashing threads, 0 to 19; 0 changes nothing. */
  nice: number
  log?: Log
  /** `null` on a system without priorities per thread. */
  system?: ThreadSystem | null
  /** The number of threads that Bun's pool grows to. */
  poolSize?: number
}

/**
 * Makes a function that lowers the priority of the threads on which Bun hashes. A flood of logins then does not delay
 * other requests. On systems other than Linux, which have no priorities per thread, the function does nothing.
 *
 * Call the function after each hash: Bun starts the threads of its pool one by one, and each call lowers the new
 * threads. After `poolSize` threads the function does nothing. If `UV_THREADPOOL_SIZE` gives the pool more threads than
 * `poolSize`, the others keep their priority. The function never throws. When the system refuses a change, the function
 * logs the refusal once and does nothing from then on.
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
      // The value is added to the niceness of the process. An absolute value could raise the priority, for example of a
      // service that was started at nice 15.
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

// File access is synchronous. Asynchronous file access would wait behind the hashes in the same thread pool.
const linuxThreads: ThreadSystem = {
  threads: () => readdirSync(taskFolder).map((id) => ({ id: Number(id), name: threadName(id) })),
  ownNice: () => getPriority(),
  setNice: (thread, nice) => setPriority(thread, nice),
}

function threadName(id: string): string {
  try {
    return readFileSync(`${taskFolder}/${id}/comm`, 'utf8').trim()
  } catch {
    return '' // the thread has ended since it was listed
  }
}
