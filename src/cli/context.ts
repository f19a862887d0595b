import type { ProcessUsage } from '../features/metrics/metrics.ts'
import type { Clock } from '../lib/clock.ts'
import type { Random } from '../lib/random.ts'

/** The process as commands see it. `main.ts` passes the real one. */
export interface CommandContext {
  env: Record<string, string | undefined>
  /** The running executable, for the `.env` beside it. */
  executable: string
  version: string
  clock: Clock
  random: Random
  usage: () => ProcessUsage
  print: (text: string) => void
  /** As `print`, for log lines. Some may be dropped if nobody reads them. */
  printLog: (line: string) => void
  /** Whether `print` writes to a terminal. */
  printsToTerminal: () => boolean
  printError: (text: string) => void
  /** Reads a password from a prompt or from standard input. */
  readSecret: (prompt: string) => Promise<string>
  /** Resolves with the name of the first signal to stop. A second signal ends the process at once. */
  stopSignal: () => Promise<string>
}

/** A command was called wrongly. `message` is for the terminal. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

/** A command failed. `message` is for the terminal and gives the reason. */
export class CommandError extends Error {
  override readonly name = 'CommandError'
}
