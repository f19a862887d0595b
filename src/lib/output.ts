import { nextTurn } from './clock.ts'

/** Where an output goes, such as `Bun.stdout.writer()`. A promise that it answers settles once the text has arrived. */
export type Sink = Pick<Bun.FileSink, 'write' | 'flush'>

/** How many characters of a log wait at most for a reader that is slow or has stopped reading. */
const LOG_BACKLOG = 8 * 1024 * 1024

export interface Output {
  /** For what must arrive: it waits in memory for as long as its reader takes. */
  write(text: string): void
  /** For lines that the process must not stop or grow for: one that finds `LOG_BACKLOG` waiting is lost. */
  writeLog(line: string): void
  /** Writes what is collected as far as that is possible at once; for where the process ends without a word. */
  flush(): void
  /** Resolves once all has arrived, or with the `code` of the first thing that went wrong, such as `ENOSPC`. */
  end(): Promise<string | undefined>
}

/**
 * Collects what is written within one turn of the event loop and writes it at once, in order: a system call for every
 * line would cost a cheap request more than all else that Keyward does for it. Nothing here ends the process: what is
 * written while a disk is full, or when the reader is gone, is lost.
 */
export function batchOutput(sink: Sink): Output {
  let collected = ''
  /** Of what the sink has taken and its reader has not. */
  let held = 0
  let arrived: Promise<unknown> = Promise.resolve()
  let failure: string | undefined
  let torn = false

  function failed(error: unknown): void {
    failure ??= String((error as { code?: unknown }).code)
    torn = true
  }

  /** Does `step`; what comes back is still to be waited for, if anything, and never rejects. */
  function pendingOf(step: () => number | Promise<number>): Promise<unknown> | undefined {
    try {
      const result = step()
      return result instanceof Promise ? result.catch(failed) : undefined
    } catch (error) {
      failed(error)
    }
  }

  function flush(): void {
    if (collected === '') return
    // The end of the line that was cut off is lost; the next one is not to be taken for it.
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

  function write(text: string): void {
    if (collected === '') nextTurn().then(flush)
    collected += text
  }

  return {
    write,
    writeLog(line) {
      if (held + collected.length < LOG_BACKLOG) write(line)
    },
    flush,
    async end() {
      flush()
      await arrived
      return failure
    },
  }
}
