import { readdirSync, readFileSync } from 'node:fs'
import { availableParallelism, getPriority, platform, setPriority } from 'node:os'
import { errorFields, type Log } from '../../lib/log.ts'

/** Reads and sets the priorities of threads. Tests pass their own implementation. */
export interface ThreadSystem {
  /** This process's threads with their names. */
  threads(): { id: number; name: string }[]
  /** Niceness of the calling thread. */
  ownNice(): number
  setNice(thread: number, nice: number): void
}

interface HashPriorityOptions {
  /** By how much the niceness of the hashing threads exceeds that of the process, 0 to 19; 0 changes nothing. */
  nice: number
  log?: Log
  /** `null` on a system without priorities per thread. */
  system?: ThreadSystem | null
  /** How many threads Bun's pool grows to. */
  poolSize?: number
}

/**
 * Lowers the priority of the threads on which Bun hashes, so a flood of logins does not delay other requests.
 *
 * Call the returned function after each hash. Bun starts the threads of its pool one by one, and each call finds the
 * new threads. When all threads are lowered, a call does nothing. The function never throws: when the system refuses,
 * the function logs this once and does nothing from then on. It also does nothing on systems other than Linux, which
 * have no priorities per thread. In a pool with more threads than cores (`UV_THREADPOOL_SIZE`), only some threads are
 * lowered.
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
