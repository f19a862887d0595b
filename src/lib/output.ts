import { nextTurn } from './clock.ts'

/**
 * A destination such as `Bun.stdout.writer()`. When a method returns a promise, the promise resolves when the text has
 * arrived, and rejects when the text is lost.
 */
export type Sink = Pick<Bun.FileSink, 'write' | 'flush'>

/** The most characters that wait for a slow reader; further log lines are dropped. */
const LOG_BACKLOG = 8 * 1024 * 1024

/**
 * Collects the text of one turn of the event loop and writes all of it at once, in order. A system call for every line
 * would cost more than all other work for a cheap request. A write error never ends the process. Text is lost when it
 * is written while the disk is full or after the reader has gone.
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

  /** Runs `step` and records its error. Returns a promise when `step` does; this promise never rejects. */
  function pendingOf(step: () => number | Promise<number>): Promise<unknown> | undefined {
    try {
      const result = step()
      return result instanceof Promise ? result.catch(failed) : undefined
    } catch (error) {
      failed(error)
    }
  }

  /** Writes the collected text, as much as possible at once, because the process may end abruptly after this call. */
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

  /** Writes text that is not dropped for a slow reader. The text waits in memory until its reader has received it. */
  function write(text: string): void {
    if (collected === '') nextTurn().then(flush)
    collected += text
  }

  return {
    write,
    /**
     * Writes a log line. The line is dropped while `LOG_BACKLOG` characters wait. Otherwise a slow reader would fill
     * the memory.
     */
    writeLog(line: string): void {
      if (held + collected.length < LOG_BACKLOG) write(line)
    },
    flush,
    /**
     * Resolves when no text waits any more. @returns the `code` of the first error (such as `ENOSPC`); undefined when
     * all text has arrived
     */
    async end(): Promise<string | undefined> {
      flush()
      await arrived
      return failure
    },
  }
}
