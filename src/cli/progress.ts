import { SECOND } from '../lib/clock.ts'
import type { CommandContext } from './context.ts'

/** Milliseconds between two changes of the line. */
const REDRAW = 100
/** The rate is that of the last milliseconds, so that the remaining time follows a change of pace. */
const WINDOW = 10 * SECOND
const BAR = 20

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
 * report.
 * @param what.verb such as `Imported`
 * @param what.units such as `users`
 * @param what.total undefined when the number of units is not known; there is then no bar and no remaining time
 */
export function startProgress(
  { clock, showStatus }: Pick<CommandContext, 'clock' | 'showStatus'>,
  what: { verb: string; units: string; total?: number | undefined },
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
      showStatus(progressLine(what, { done, rate: rateOf(samples) }))
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

function progressLine(
  { verb, units, total }: { verb: string; units: string; total?: number | undefined },
  { done, rate }: { done: number; rate: number },
): string {
  const pace = rate >= 1 ? `${number(rate)}/s` : ''
  if (total === undefined) return [`${verb} ${number(done)} ${units}`, pace].filter(Boolean).join('  ')
  const share = total === 0 ? 1 : Math.min(done / total, 1)
  const filled = Math.round(share * BAR)
  const left = rate > 0 && done < total ? `${duration((total - done) / rate)} left` : ''
  return [
    `[${'='.repeat(filled)}${' '.repeat(BAR - filled)}]`,
    `${Math.floor(share * 100)}%`.padStart(4),
    `${verb} ${number(done)} of ${number(total)} ${units}`,
    pace,
    left,
  ]
    .filter(Boolean)
    .join('  ')
}

const number = (value: number): string => Math.round(value).toLocaleString('en')

/** Formats seconds for people, such as `45 s`, `3 min` and `2 h 5 min`. */
function duration(seconds: number): string {
  if (seconds < 99.5) return `${Math.max(1, Math.round(seconds))} s`
  const minutes = Math.round(seconds / 60)
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`
}
