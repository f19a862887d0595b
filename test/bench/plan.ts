/** The task of the load generator, as JSON on its standard input. */
export interface LoadPlan {
  port: number
  /** The process id of the server, whose CPU time is measured. */
  pid: number
  connections: number
  /** Whole requests in base64, sent in turn, repeatedly unless `once`. */
  requests: string[]
  /** For requests that work only once: running out of them is an error. */
  once?: boolean
  /** Requests per second at a fixed rate, each measured from its due time; without it, as fast as answers arrive. */
  rate?: number
  /**
   * The member of each JSON answer that is copied into the connection's next request. Each connection then has its own
   * request.
   */
  chain?: string
  /** Not measured: connections open, code is compiled, queues fill. */
  warmupMs: number
  durationMs: number
}

/** The results between the end of the warm-up and the end of the plan. */
export interface Reading {
  seconds: number
  /** Answers by status, and `closed` for connections that ended without one. */
  answers: Record<string, number>
  /** Answers with a status 2xx per second. */
  perSecond: number
  /** CPU time of the server per answer with any status, in microseconds. */
  cpuMicros: number
  /** Answers with a status 2xx per second of CPU time of the server. */
  perCoreSecond: number
  /** Latency of the answers with a status 2xx, in milliseconds; one still awaited at the end counts with its age. */
  p50: number
  p99: number
  /** 99th percentile of the delay between due time and sending, in milliseconds. */
  late99: number
  /** Cores used by the load generator itself. */
  ownCores: number
  /** Cores used by programs that the bench did not start. */
  foreignCores: number
}

/** The result of a program without a server: the floor or ceiling that a service is compared with. */
export interface RawReading {
  perSecond: number
  perCoreSecond: number
  foreignCores: number
}

export interface RawPlan {
  /** How many in parallel. */
  inFlight: number
  warmupMs: number
  durationMs: number
}

/** The value below which `share` of a sorted array lies; NaN for an empty array. */
export const percentile = (sorted: ArrayLike<number>, share: number): number =>
  sorted.length === 0 ? Number.NaN : sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]!
