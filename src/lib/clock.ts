/**
 * Milliseconds since 1970-01-01T00:00:00Z. Code and databases keep every time in this form. Only answers, tokens, mails
 * and logs use other forms.
 */
export type EpochMs = number

/** The source of time and timers for all code outside `lib/`. A test passes a clock that the test advances itself. */
export interface Clock {
  /**
   * The wall clock, for times that are stored or sent. The wall clock may jump, so durations are measured with
   * `monotonic`.
   */
  now(): EpochMs
  /** Milliseconds since an arbitrary start, for durations. The value never decreases. */
  monotonic(): number
  sleep(ms: number): Promise<void>
  /**
   * Calls `task` every `ms` milliseconds until the caller calls the returned function. The timer does not keep the
   * process alive.
   */
  every(ms: number, task: () => void): () => void
}

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  sleep: (ms) => Bun.sleep(ms),
  every: (ms, task) => {
    const timer = setInterval(task, ms)
    timer.unref()
    return () => clearInterval(timer)
  },
}

/** Resolves in the next turn of the event loop, after the input that was already waiting has been processed. */
export const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

/** Converts a time for libraries that need a `Date`. */
export const toDate = (at: EpochMs): Date => new Date(at)

/** Formats a time as RFC 3339, in UTC with milliseconds. */
export const rfc3339 = (at: EpochMs): string => new Date(at).toISOString()

const rfc3339Pattern =
  /^(\d{4})-(0[1-9]|1[0-2])-(\d\d)T([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,9})?(Z|[+-]([01]\d|2[0-3]):[0-5]\d)$/

/**
 * Reads a time in RFC 3339 with its zone.
 * @returns undefined for any other text, for a day that does not exist and for a leap second
 */
export function parseRfc3339(text: string): EpochMs | undefined {
  const [, year, month, day] = rfc3339Pattern.exec(text.toUpperCase()) ?? []
  if (year === undefined) return undefined
  if (new Date(Date.UTC(Number(year), Number(month) - 1, Number(day))).getUTCDate() !== Number(day)) return undefined
  return Date.parse(text.toUpperCase())
}

export const SECOND = 1_000
export const MINUTE = 60 * SECOND
export const HOUR = 60 * MINUTE
export const DAY = 24 * HOUR

/**
 * Lets other work run for `milliseconds` of the machine's time, which no clock of a test moves. It is for pauses that
 * change nothing but when the CPU is free.
 */
export const shortPause = (milliseconds: number): Promise<void> =>
  new Promise((resolve) => void setTimeout(resolve, milliseconds))
