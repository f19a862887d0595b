import { nextTurn } from '../lib/clock.ts'
import { type CommandContext, ExitCode } from './context.ts'

/** The exit code after Ctrl-C, as that of a program which the signal ends. */
const INTERRUPTED = 130

class Interrupted extends Error {
  override readonly name = 'Interrupted'
}

/**
 * Runs long work that a signal to stop ends between two of its parts, so that the command can clean up and say what was
 * done. A second signal ends the process at once.
 * @param work awaits `pause` between its parts, which rejects after the signal. Do not catch that error
 * @param outcome says what the work has left, in sentences
 * @throws ExitCode after the signal
 */
export async function interruptible<T>(
  { stopSignal, printError }: Pick<CommandContext, 'stopSignal' | 'printError'>,
  work: (pause: () => Promise<void>) => Promise<T>,
  outcome: () => string,
): Promise<T> {
  let isStopped = false
  void stopSignal().then(() => {
    isStopped = true
  })
  const pause = async () => {
    // Work on an SQLite file may go on for long without a turn of the event loop, in which no signal arrives.
    await nextTurn()
    if (isStopped) throw new Interrupted()
  }
  try {
    return await work(pause)
  } catch (error) {
    if (!isInterrupted(error)) throw error
    printError(`Interrupted. ${outcome()}\n`)
    throw new ExitCode(INTERRUPTED)
  }
}

/** True also when another error has it as a cause. */
const isInterrupted = (error: unknown): boolean =>
  error instanceof Interrupted || (error instanceof Error && isInterrupted(error.cause))
