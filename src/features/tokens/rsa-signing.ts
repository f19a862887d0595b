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
  onerror: ((event: ErrorEvent) => void) | null
  addEventListener(event: 'close', listener: () => void): void
  postMessage(jobs: readonly RsaJob[]): void
  terminate(): void
}

export interface RsaSignerNeeds {
  clock: Pick<Clock, 'every'>
  log: Log
  startThread: () => RsaThread
  /** The most threads at the same time: one for each core. 0 makes all signatures here. */
  maxThreads: number
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

const TICK = 5 * SECOND
const SILENT_TICKS = 2
const IDLE_TICKS = 12
/** More than the keys that sign at the same time. Thus a key leaves the memory of the threads after some rotations. */
const KEYS_KEPT = 4
const MAX_FAILURES = 3

export function createRsaSigner({ clock, log, startThread, maxThreads }: RsaSignerNeeds): RsaSigner {
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
    // The message of an error is not logged: it has a piece of the source.
    thread.onerror = () => replace(one, 'error')
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
      if (key.alg !== 'RS256' || maxThreads === 0 || closed) return signBytes(key, data)
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
