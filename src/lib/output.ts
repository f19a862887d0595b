import { nextTurn } from './clock.ts'

/** Where an output goes, such as `Bun.stdout.writer()`. What it answers settles once the text has arrived. */
type Sink = Pick<Bun.FileSink, 'write' | 'flush'>

export interface Output {
  write(text: string): void
  /** Writes what is waiting as far as that is possible at once; for where the process ends without a word. */
  flush(): void
  /** Resolves once all has arrived, with the `code` of what went wrong last, such as `ENOSPC`, if that is not over. */
  end(): Promise<string | undefined>
}

/**
 * Collects what is written within one turn of the event loop and writes it at once, in order: a system call for every
 * line would cost a cheap request more than all else that Keyward does for it. Only SIGKILL loses lines, those of one
 * turn. Nothing here ends the process: while a disk is full, or when nobody reads any longer, what is written is lost.
 */
export function batchOutput(sink: Sink): Output {
  let waiting = ''
  let arrived: Promise<unknown> = Promise.resolve()
  let failure: string | undefined

  const failed = (error: unknown) => {
    failure = String((error as { code?: unknown }).code)
  }

  function flush(): void {
    const text = waiting
    waiting = ''
    if (text === '') return
    failure = undefined
    try {
      const steps = [sink.write(text), sink.flush()]
      if (steps.some((step) => step instanceof Promise)) arrived = Promise.all([arrived, ...steps]).catch(failed)
    } catch (error) {
      failed(error)
    }
  }

  return {
    write(text) {
      if (waiting === '') nextTurn().then(flush)
      waiting += text
    },
    flush,
    async end() {
      flush()
      await arrived
      return failure
    },
  }
}
