import { availableParallelism } from 'node:os'
import { type Clock, nextTurn, SECOND } from '../../lib/clock.ts'
import type { Log } from '../../lib/log.ts'
import type { MaybePromise } from '../../lib/maybe-promise.ts'
import { exportPrivateKey, type SigningKey } from '../signing-keys/signing-keys.ts'
import { signBytes } from './jws.ts'

/** Makes signatures; those of RSA in threads of its own when there are several. */
export interface RsaSigner {
  /**
   * Signs `data`, as `signBytes` does. A signature that a thread fails to make is made here.
   * @throws the error of `signBytes`
   */
  sign(key: SigningKey, data: Uint8Array): MaybePromise<Uint8Array>
  /** Resolves when all signatures are made and the threads have been told to end. Later signatures are made here. */
  close(): Promise<void>
}

/** One signature, as a thread is asked for it. The thread answers with the bytes of the signature. */
export interface RsaJob {
  kid: string
  data: Uint8Array
  /** The private key of `kid` (PKCS #8 DER), when the thread does not have it. */
  newKey: Uint8Array | undefined
  /** The thread forgets the keys of earlier jobs first. */
  forgetsKeys: boolean
}

/** The parts of a `Worker` that an `RsaSigner` uses. The worker runs `rsa-worker.ts`. */
export interface RsaThread {
  onmessage: ((event: MessageEvent<readonly Uint8Array[]>) => void) | null
  /** `close` comes when the thread has ended, also after an error. */
  addEventListener(event: 'close', listener: () => void): void
  postMessage(jobs: readonly RsaJob[]): void
  terminate(): void
}

export interface RsaSignerNeeds {
  clock: Pick<Clock, 'every'>
  log: Log
  startThread: () => RsaThread
  /** The most threads at the same time. 0 makes all signatures here. By default one for each core but the first. */
  maxThreads?: number
}

interface Waiting {
  key: SigningKey
  data: Uint8Array
  made: PromiseWithResolvers<Uint8Array>
}

interface Running {
  thread: RsaThread
  /** The jobs that the thread has not answered, in the order of its answers. */
  out: Waiting[]
  /** The `kid` of each key that the thread has. */
  kids: Set<string>
  /** How many ticks ago the thread last answered or, when it had no job, got one. */
  quietTicks: number
}

/** The main thread has the first core. A second thread on two cores made exchanges a tenth slower. */
const defaultThreads = () => Math.min(Math.max(availableParallelism() - 1, 1), 4)
const TICK = 5 * SECOND
const SILENT_TICKS = 2
const IDLE_TICKS = 12
/** More than the keys that sign at the same time. Thus a key leaves the memory of the threads after some rotations. */
const KEYS_KEPT = 4
const MAX_FAILURES = 3

/**
 * Makes RSA signatures in threads of its own. An RS256 signature takes 0.75 ms, and all others 20 µs. On the main thread
 * a code exchange would block the event loop that long, and one core would do all the work. On 2 cores, 16 clients get
 * 960 exchanges a second instead of 730, and `GET /users/me` beside them takes 2 ms instead of 20 ms (median). The
 * threads are no part of Bun's pool, so a signature never waits behind bcrypt.
 *
 * The signatures of a turn of the event loop are made together. When there is only one and no thread runs, it is made
 * here. Thus an installation where little happens starts no thread, which takes 8 ms and 4 MiB; several start them. A
 * thread without a job for a minute ends.
 *
 * A thread can fail: it does not start, it ends, or it answers nothing for 5 to 10 seconds. Its signatures are then
 * made here, and later ones in another thread. After three failures all signatures are made here.
 */
export function createRsaSigner({ clock, log, startThread, maxThreads = defaultThreads() }: RsaSignerNeeds): RsaSigner {
  const running = new Set<Running>()
  let waiting: Waiting[] = []
  let failures = 0
  let closed = false
  let stopTicks = () => {}

  function start(): Running | undefined {
    if (running.size >= maxThreads || failures >= MAX_FAILURES) return undefined
    let thread: RsaThread
    try {
      thread = startThread()
    } catch {
      failed('not started', 0)
      return undefined
    }
    const one: Running = { thread, out: [], kids: new Set(), quietTicks: 0 }
    thread.onmessage = ({ data }) => {
      one.quietTicks = 0
      for (const signature of data) one.out.shift()?.made.resolve(signature)
    }
    thread.addEventListener('close', () => replace(one, 'ended'))
    if (running.size === 0) stopTicks = clock.every(TICK, tick)
    running.add(one)
    return one
  }

  function end(one: Running): boolean {
    if (!running.delete(one)) return false
    if (running.size === 0) stopTicks()
    one.thread.terminate()
    return true
  }

  function failed(reason: string, jobs: number): void {
    failures++
    log.warn('rsa_thread_failed', { reason, jobs, given_up: failures >= MAX_FAILURES })
  }

  /** Makes the signatures of a thread that failed here. The next jobs start another thread. */
  function replace(one: Running, reason: string): void {
    if (!end(one)) return
    failed(reason, one.out.length)
    for (const job of one.out.splice(0)) signHere(job)
  }

  function tick(): void {
    for (const one of running) {
      one.quietTicks++
      if (one.out.length > 0 && one.quietTicks >= SILENT_TICKS) replace(one, 'silent')
      else if (one.out.length === 0 && one.quietTicks >= IDLE_TICKS) end(one)
    }
  }

  /** @returns the thread that should get the next job; undefined when there is none */
  function chooseThread(): Running | undefined {
    let free: Running | undefined
    for (const one of running) if (free === undefined || one.out.length < free.out.length) free = one
    return free?.out.length === 0 ? free : (start() ?? free)
  }

  function hand(job: Waiting, one: Running): RsaJob {
    const { kid } = job.key
    const isNew = !one.kids.has(kid)
    const forgetsKeys = isNew && one.kids.size >= KEYS_KEPT
    if (forgetsKeys) one.kids.clear()
    one.kids.add(kid)
    if (one.out.length === 0) one.quietTicks = 0
    one.out.push(job)
    return { kid, data: job.data, newKey: isNew ? exportPrivateKey(job.key) : undefined, forgetsKeys }
  }

  function dispatch(): void {
    const jobs = waiting
    waiting = []
    const isAlone = jobs.length === 1 && running.size === 0
    const orders = new Map<Running, RsaJob[]>()
    for (const job of jobs) {
      const one = isAlone ? undefined : chooseThread()
      if (one === undefined) {
        signHere(job)
        continue
      }
      const order = orders.get(one) ?? []
      order.push(hand(job, one))
      orders.set(one, order)
    }
    for (const [{ thread }, order] of orders) thread.postMessage(order)
  }

  return {
    sign(key, data) {
      if (key.alg !== 'RS256' || closed) return signBytes(key, data)
      const made = Promise.withResolvers<Uint8Array>()
      if (waiting.push({ key, data, made }) === 1) void nextTurn().then(dispatch)
      return made.promise
    },
    async close() {
      closed = true
      const jobs = [...waiting, ...[...running].flatMap(({ out }) => out)]
      await Promise.allSettled(jobs.map(({ made }) => made.promise))
      for (const one of running) end(one)
    },
  }
}

function signHere({ key, data, made }: Waiting): void {
  try {
    made.resolve(signBytes(key, data))
  } catch (error) {
    made.reject(error)
  }
}
