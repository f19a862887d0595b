import { join } from 'node:path'
import type { LoadPlan, RawPlan, RawReading, Reading } from './plan.ts'
import { watchMachine } from './proc.ts'

export interface BenchOptions {
  /** More and longer rounds. */
  long: boolean
  /** A round in which other programs took more cores than this is dropped. */
  foreign: number
}

export interface Bench extends BenchOptions {
  /** Runs the load generator once. */
  load(plan: LoadPlan): Promise<Reading>
  /** Runs a program of `targets/` that measures without a server. */
  raw(program: string, plan: RawPlan & Record<string, unknown>): Promise<RawReading>
  /** What the bench measures by itself, in a round. */
  observe<T>(work: () => Promise<T>): Promise<T>
  /**
   * Does `work` in rounds, `count` in a short run, until so many were quiet, and at most twice as often. What is
   * compared is measured in turn within one round.
   * @throws Disturbed when no round was quiet
   */
  rounds<T>(count: number, work: () => Promise<T>): Promise<Rounds<T>>
}

export interface Rounds<T> {
  kept: T[]
  dropped: number
  /** The most cores that other programs took in a round kept. */
  foreign: number
}

/** A busy machine is not measured. */
export class Disturbed extends Error {}

export function createBench(options: BenchOptions): Bench {
  let worst = 0
  const run = async <T extends { foreignCores: number }>(program: string, plan: unknown): Promise<T> => {
    const child = Bun.spawn([process.execPath, join(import.meta.dir, program)], {
      stdin: new Blob([JSON.stringify(plan)]),
      stdout: 'pipe',
      stderr: 'inherit',
    })
    const [text, code] = await Promise.all([child.stdout.text(), child.exited])
    if (code !== 0) throw new Error(`${program} ended with ${code}`)
    // JSON writes NaN, the median of nothing, as null.
    const reading: T = JSON.parse(text, (_, value) => value ?? Number.NaN)
    worst = Math.max(worst, reading.foreignCores)
    return reading
  }
  return {
    ...options,
    load: (plan) => run('load.ts', plan),
    raw: (program, plan) => run(join('targets', program), plan),
    async observe(work) {
      const watch = watchMachine(process.pid)
      const result = await work()
      worst = Math.max(worst, watch().foreignCores)
      return result
    },
    async rounds(count, work) {
      const wanted = options.long ? count * 3 : count
      const kept: Awaited<ReturnType<typeof work>>[] = []
      let [dropped, foreign, quietest] = [0, 0, Number.POSITIVE_INFINITY]
      while (kept.length < wanted && kept.length + dropped < 2 * wanted) {
        worst = 0
        const readings = await work()
        quietest = Math.min(quietest, worst)
        const quiet = worst <= options.foreign
        say(`${quiet ? '.' : 'x'}`)
        if (quiet) {
          kept.push(readings)
          foreign = Math.max(foreign, worst)
        } else dropped++
      }
      if (kept.length > 0) return { kept, dropped, foreign }
      throw new Disturbed(
        `other programs took at least ${quietest.toFixed(2)} cores in each of ${dropped} rounds, more than ${options.foreign}`,
      )
    },
  }
}

export const say = (text: string): unknown => process.stderr.write(text)

export function median(values: readonly number[]): number {
  const sorted = values.filter((value) => !Number.isNaN(value)).sort((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

/** The median over rounds of what `pick` finds in one: of a ratio, within one round, not of a ratio of medians. */
export const medianOf = <T>(rounds: readonly T[], pick: (round: T) => number): number => median(rounds.map(pick))

export const inTurn = async <T>(steps: Record<string, () => Promise<T>>): Promise<Record<string, T>> => {
  const results: Record<string, T> = {}
  for (const [name, step] of Object.entries(steps)) results[name] = await step()
  return results
}
