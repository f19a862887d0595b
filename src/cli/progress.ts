import { SECOND } from '../lib/clock.ts'
import type { CommandContext } from './context.ts'

/** Milliseconds between two changes of the line. */
const REDRAW = 100
/** The rate is that of the last milliseconds, so that the remaining time follows a change of pace. */
const WINDOW = 10 * SECOND
const BAR = 20
const SHORT_BAR = 10

export interface Progress {
  /** Reports how many units are done altogether. Cheap enough to be called for every row. */
  report(done: number): void
  /** Removes the line. Call it in a `finally`. */
  end(): void
}

interface Sample {
  at: number
  done: number
}

/**
 * Shows the progress of long work on one line of the terminal of standard error, with the rate and the remaining time.
 * Shows nothing when standard error is not a terminal. Other output of the command removes the line until the next
 * report. On a narrow terminal the line has fewer parts.
 * @param what.verb such as `Imported`
 * @param what.units such as `users`
 * @param what.total undefined when the number of units is not known; there is then no bar and no remaining time
 */
export function startProgress(
  { clock, showStatus, errorColumns }: Pick<CommandContext, 'clock' | 'showStatus' | 'errorColumns'>,
  what: Shown,
): Progress {
  const start = clock.monotonic()
  const samples: Sample[] = [{ at: start, done: 0 }]
  let drawn = start
  return {
    report(done) {
      const at = clock.monotonic()
      if (at - drawn < REDRAW) return
      drawn = at
      samples.push({ at, done })
      while (samples.length > 2 && samples[0]!.at < at - WINDOW) samples.shift()
      const columns = errorColumns()
      if (columns !== undefined) showStatus(progressLine(what, { done, rate: rateOf(samples), columns }))
    },
    end: () => showStatus(''),
  }
}

/** Returns the units per second from the first sample to the last. */
function rateOf(samples: readonly Sample[]): number {
  const first = samples[0]!
  const last = samples.at(-1)!
  return (last.done - first.done) / ((last.at - first.at) / SECOND)
}

interface Shown {
  verb: string
  units: string
  total?: number | undefined
}

/** The longest rate and remaining time that are usual. The choice of the parts must not change with each number. */
const WIDEST = { pace: '999,999/s', left: '59 min left' }

/** Returns the line with as many parts as fit into `columns`. */
function progressLine(shown: Shown, { done, rate, columns }: { done: number; rate: number; columns: number }): string {
  const { total } = shown
  const pace = rate >= 1 ? `${number(rate)}/s` : ''
  const left = total !== undefined && rate > 0 && done < total ? `${duration((total - done) / rate)} left` : ''
  const widest = forms(shown, { ...WIDEST, done: total ?? done })
  const fitting = widest.findIndex((form) => Bun.stringWidth(form) < columns)
  return forms(shown, { pace, left, done }).at(fitting)!
}

/** Returns the lines that show the progress, each with fewer parts than the one before. */
function forms(
  { verb, units, total }: Shown,
  { pace, left, done }: { pace: string; left: string; done: number },
): string[] {
  const joined = (...parts: string[]) => parts.filter(Boolean).join('  ')
  if (total === undefined) {
    const count = `${verb} ${number(done)} ${units}`
    return [joined(count, pace), count, number(done)]
  }
  const share = total === 0 ? 1 : Math.min(done / total, 1)
  const bar = (length: number) => {
    const filled = Math.round(share * length)
    return `[${'='.repeat(filled)}${' '.repeat(length - filled)}]`
  }
  const percent = `${Math.floor(share * 100)}%`.padStart(4)
  const count = `${verb} ${number(done)} of ${number(total)} ${units}`
  return [
    joined(bar(BAR), percent, count, pace, left),
    joined(bar(SHORT_BAR), percent, count, pace, left),
    joined(bar(SHORT_BAR), percent, count, left),
    joined(bar(SHORT_BAR), percent, left),
    joined(percent.trim(), left),
    percent.trim(),
  ]
}

const number = (value: number): string => Math.round(value).toLocaleString('en')

/** Formats seconds for people, such as `45 s`, `3 min` and `2 h 5 min`. */
function duration(seconds: number): string {
  if (seconds < 99.5) return `${Math.max(1, Math.round(seconds))} s`
  const minutes = Math.round(seconds / 60)
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`
}
