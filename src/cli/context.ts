import type { ProcessUsage } from '../features/metrics/metrics.ts'
import type { Clock } from '../lib/clock.ts'
import type { Random } from '../lib/random.ts'

/** The process as a command sees it. `main.ts` passes the real one. */
export interface CommandContext {
  env: Record<string, string | undefined>
  /** The running executable, for the `.env` beside it. */
  executable: string
  version: string
  clock: Clock
  random: Random
  usage: () => ProcessUsage
  print: (text: string) => void
  /** As `print`, for the lines of a log: lines may be dropped when the output is not read. */
  printLog: (line: string) => void
  /** Whether `print` writes to a terminal. */
  printsToTerminal: () => boolean
  printError: (text: string) => void
  /** Asks for a password at a terminal, or reads it from standard input. */
  readSecret: (prompt: string) => Promise<string>
  /** Resolves with the name of the first stop signal; the second one ends the process at once. */
  stopSignal: () => Promise<string>
}

/** A command was called wrongly; `message` is for a person. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

/** A command failed for the reason in `message`, which is for a person. */
export class CommandError extends Error {
  override readonly name = 'CommandError'
}
