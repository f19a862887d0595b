import { nextTurn } from './clock.ts'

/** A destination such as `Bun.stdout.writer()`. A promise that it returns settles once the text has arrived. */
export type Sink = Pick<Bun.FileSink, 'write' | 'flush'>

/** The most characters that wait for a slow reader; further log lines are dropped. */
const LOG_BACKLOG = 8 * 1024 * 1024

/**
 * Collects the text of one turn of the event loop and writes it at once, in order: a system call for every line would cost
 * more than all other work for a cheap request. Errors never end the process: text written while the disk is full, or
 * after the reader has gone, is lost.
 */
export function batchOutput(sink: Sink) {
  let collected = ''
  /** Characters that the sink has taken and its reader has not. */
  let held = 0
  let arrived: Promise<unknown> = Promise.resolve()
  let failure: string | undefined
  let torn = false

  function failed(error: unknown): void {
    failure ??= String((error as { code?: unknown }).code)
    torn = true
  }

  /** Runs `step`. The promise, if there is one, never rejects. */
  function pendingOf(step: () => number | Promise<number>): Promise<unknown> | undefined {
    try {
      const result = step()
      return result instanceof Promise ? result.catch(failed) : undefined
    } catch (error) {
      failed(error)
    }
  }

  /** Writes the collected text as far as possible at once, for an abrupt end of the process. */
  function flush(): void {
    if (collected === '') return
    // The end of the cut line is lost. A newline keeps the next line apart from it.
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

  /** For text that must arrive: it waits in memory for as long as its reader takes. */
  function write(text: string): void {
    if (collected === '') nextTurn().then(flush)
    collected += text
  }

  return {
    write,
    /** For lines that must neither block the process nor fill its memory: dropped while `LOG_BACKLOG` characters wait. */
    writeLog(line: string): void {
      if (held + collected.length < LOG_BACKLOG) write(line)
    },
    flush,
    /** Resolves once all has arrived, with the `code` of the first error if there was one, such as `ENOSPC`. */
    async end(): Promise<string | undefined> {
      flush()
      await arrived
      return failure
    },
  }
}
