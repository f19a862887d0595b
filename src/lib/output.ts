import { nextTurn } from './clock.ts'

/**
 * A destination of text, such as `Bun.stdout.writer()`. When a method returns a promise, the promise resolves when the
 * reader has received the text, and rejects when the text is lost.
 */
export type Sink = Pick<Bun.FileSink, 'write' | 'flush'>

/** The most characters that wait in memory for a slow reader. While so many wait, log lines are dropped. */
const LOG_BACKLOG = 8 * 1024 * 1024

/**
 * Makes an output that collects the text of one turn of the event loop and writes all of it at once, in order. A system
 * call for every line would take more time than all other work for a cheap request. A write error never ends the
 * process. Text is lost when the disk is full, or when its reader has ended.
 */
export function batchOutput(sink: Sink) {
  let collected = ''
  /** The number of characters that the sink has accepted and the reader has not received. */
  let held = 0
  let arrived: Promise<unknown> = Promise.resolve()
  let failure: string | undefined
  let torn = false

  function failed(error: unknown): void {
    const { code, name } = error as { code?: unknown; name?: unknown }
    failure ??= String(code ?? name)
    torn = true
  }

  /**
   * Runs `step` and records its error. Returns a promise that never rejects when `step` returns a promise; otherwise
   * undefined.
   */
  function pendingOf(step: () => number | Promise<number>): Promise<unknown> | undefined {
    try {
      const result = step()
      return result instanceof Promise ? result.catch(failed) : undefined
    } catch (error) {
      failed(error)
    }
  }

  /**
   * Writes the collected text, as much of it as possible before this call returns, because the process may end
   * immediately after the call.
   */
  function flush(): void {
    if (collected === '') return
    // After a failed write, the last line may be incomplete. A newline separates the incomplete line from the next
    // line.
    const text = torn ? `\n${collected}` : collected
    collected = ''
    torn = false
    const steps = [pendingOf(() => sink.write(text)), pendingOf(() => sink.flush())]
    if (steps.every((step) => step === undefined)) return
    held += text.length
    arrived = Promise.all([arrived, ...steps]).then(() => {
      held -= text.length
    })
  }

  /** Writes text that is never dropped for a slow reader. The text waits in memory until its reader has received it. */
  function write(text: string): void {
    if (collected === '') nextTurn().then(flush)
    collected += text
  }

  return {
    write,
    /**
     * Writes a log line. The line is dropped while `LOG_BACKLOG` characters or more wait, because a slow reader would
     * otherwise fill the memory.
     */
    writeLog(line: string): void {
      if (held + collected.length < LOG_BACKLOG) write(line)
    },
    flush,
    /**
     * Writes the collected text and resolves when no text waits any more.
     * @returns the `code` of the first write error, such as `ENOSPC`; undefined when all text has arrived
     */
    async end(): Promise<string | undefined> {
      flush()
      await arrived
      return failure
    },
  }
}
