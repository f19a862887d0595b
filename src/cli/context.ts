import type { ProcessUsage } from '../features/metrics/metrics.ts'
import type { Clock } from '../lib/clock.ts'
import type { Random } from '../lib/random.ts'

export type Colour = 'bold' | 'dim' | 'green' | 'yellow' | 'red'

/**
 * Everything that `run` uses of its process. `main.ts` passes the real process, and a test passes its own functions.
 */
export interface ProcessContext {
  env: Record<string, string | undefined>
  /**
   * The path of the running executable. Settings are read from the file `.env` in the same folder, unless `--env-file`
   * names another file.
   */
  executable: string
  version: string
  clock: Clock
  random: Random
  usage: () => ProcessUsage
  print: (text: string) => void
  /**
   * Prints a log line to the output of `print`. The line may be dropped when a slow reader has not yet received earlier
   * output.
   */
  printLog: (line: string) => void
  /** Returns true when `print` writes to a terminal. */
  printsToTerminal: () => boolean
  /**
   * Resolves when the reader has received everything that `print` wrote, with the code of a failed write, such as
   * `EPIPE`, or undefined.
   */
  delivered: () => Promise<string | undefined>
  printError: (text: string) => void
  /** Returns the width of the terminal to which `printError` writes; undefined when it does not write to a terminal. */
  errorColumns: () => number | undefined
  /**
   * Reads a secret: at a terminal asks twice, or once with the option `once`; otherwise reads all of standard input.
   */
  readSecret: (prompt: string, options?: { once: boolean }) => Promise<string>
  /** Asks a yes-or-no question at the terminal. Resolves with undefined when there is no terminal. */
  confirm: (question: string) => Promise<boolean | undefined>
  /** Resolves with the name of the first signal to stop. A second signal ends the process at once. */
  stopSignal: () => Promise<string>
  /**
   * Makes the process ignore SIGUSR1 and SIGUSR2. `report` is called with the name of each such signal that arrives.
   */
  onIgnoredSignal?: (report: (signal: string) => void) => void
}

/** What a command uses of its process. `commandContext` in `output.ts` makes it. */
export interface CommandContext extends ProcessContext {
  /**
   * Prints text. Control characters become escapes, see `printableLines`. The colour is used only on a terminal, and
   * not when the environment has NO_COLOR.
   */
  print: (text: string, colour?: Colour) => void
  /**
   * Shows a line at the bottom of the terminal of `printError`, in place of the last such line. Later output of the
   * command removes it, and an empty line does nothing else. Does nothing when there is no such terminal. The line is
   * cut to the width of the terminal.
   */
  showStatus: (line: string) => void
}

/** Thrown when the command line is wrong; the process then exits with 2. The terminal shows the message. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

/**
 * Thrown when a command fails for a known reason; the process then exits with 1. The terminal shows the message, which
 * gives the reason.
 */
export class CommandError extends Error {
  override readonly name = 'CommandError'
}

/** Thrown when a command has printed everything that it has to say, and the process exits with `code`. */
export class ExitCode extends Error {
  override readonly name = 'ExitCode'

  constructor(readonly code: number) {
    super()
  }
}
