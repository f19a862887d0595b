/** What the bench asks of the load generator, as JSON on its standard input. */
export interface LoadPlan {
  port: number
  /** The server, whose CPU time is told. */
  pid: number
  connections: number
  /** Whole requests in base64, sent in turn; each is sent again when all were, unless `once`. */
  requests: string[]
  /** For requests that only work the first time: running out of them is an error. */
  once?: boolean
  /** Requests a second whatever the answers do, each measured from when it was due; without it as fast as answers come. */
  rate?: number
  /**
   * The member of each JSON answer that the connection's next request carries in its place. Each connection then keeps
   * to a request of its own.
   */
  chain?: string
  /** Not counted: connections open, code is compiled, queues fill. */
  warmupMs: number
  durationMs: number
}

/** What was counted between the end of the warm-up and the end of the plan. */
export interface Reading {
  seconds: number
  /** Answers by status, and `closed` for connections that ended without one. */
  answers: Record<string, number>
  /** Answers with a status 2xx, a second. */
  perSecond: number
  /** CPU time of the server for each answer, whatever its status, in microseconds. */
  cpuMicros: number
  /** Good answers for each second of CPU time of the server. */
  perCoreSecond: number
  /** Milliseconds until the answer, of the good ones; one still due at the end counts with its age. */
  p50: number
  p99: number
  /** 99th percentile of how late a request was sent that had a due time, in milliseconds. */
  late99: number
  /** Cores that the load generator itself was busy on. */
  ownCores: number
  /** Cores that were busy with what the bench did not start. */
  foreignCores: number
}

/** What a program without a server counted: the floor or ceiling that a service is compared with. */
export interface RawReading {
  perSecond: number
  perCoreSecond: number
  foreignCores: number
}

export interface RawPlan {
  /** How many at once. */
  inFlight: number
  warmupMs: number
  durationMs: number
}

/** The value below which `share` of a sorted array lies; NaN of an empty one. */
export const percentile = (sorted: ArrayLike<number>, share: number): number =>
  sorted.length === 0 ? Number.NaN : sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]!
