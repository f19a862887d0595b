import type { ProcessUsage } from '../features/metrics/metrics.ts'
import type { Clock } from '../lib/clock.ts'
import type { Random } from '../lib/random.ts'

/** Everything that a command uses of its process. `main.ts` passes the real process. */
export interface CommandContext {
  env: Record<string, string | undefined>
  /** The path of the running executable. The file `.env` is read from the same folder. */
  executable: string
  version: string
  clock: Clock
  random: Random
  usage: () => ProcessUsage
  print: (text: string) => void
  /** Prints a line of the log to where `print` prints. Lines may be dropped when that output is read too slowly. */
  printLog: (line: string) => void
  /** Returns true when `print` writes to a terminal. */
  printsToTerminal: () => boolean
  printError: (text: string) => void
  /** Reads a password from standard input, or twice from a prompt. */
  readSecret: (prompt: string) => Promise<string>
  /** Asks a yes-or-no question at the terminal; undefined without a terminal. */
  confirm: (question: string) => Promise<boolean | undefined>
  /** Resolves with the name of the first signal to stop. A second signal ends the process at once. */
  stopSignal: () => Promise<string>
  /** After the call the process ignores SIGUSR1 and SIGUSR2; `report` gets the name of each of them that arrives. */
  onIgnoredSignal?: (report: (signal: string) => void) => void
}

/** A command was called wrongly. `message` is for the terminal. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

/** A command failed. `message` is for the terminal and gives the reason. */
export class CommandError extends Error {
  override readonly name = 'CommandError'
}
