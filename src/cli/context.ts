import type { ProcessUsage } from '../features/metrics/metrics.ts'
import type { Clock } from '../lib/clock.ts'
import type { Random } from '../lib/random.ts'

/** What a command sees of the process. `main.ts` gives it the real one. */
export interface CommandContext {
  env: Record<string, string | undefined>
  /** The running executable, for the `.env` beside it. */
  executable: string
  version: string
  clock: Clock
  random: Random
  /** What the operating system says of this process. */
  usage: () => ProcessUsage
  print: (text: string) => void
  /** As `print`, for the lines of a log: some may be lost where nobody reads them. */
  printLog: (line: string) => void
  /** Whether what is printed goes to a terminal, where a person reads it. */
  printsToTerminal: () => boolean
  printError: (text: string) => void
  /** Asks for a password, or takes it from standard input. */
  readSecret: (prompt: string) => Promise<string>
  /** Resolves with the name of the first signal that asks the process to stop; the second one ends it at once. */
  stopSignal: () => Promise<string>
}

/** A mistake in how a command was called; `message` is for a person. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

/** A command that cannot do its work; `message` is for a person and says why. */
export class CommandError extends Error {
  override readonly name = 'CommandError'
}
