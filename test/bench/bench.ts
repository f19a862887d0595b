import { join } from 'node:path'
import type { LoadPlan, RawPlan, RawReading, Reading } from './plan.ts'
import { coresOf, watchMachine } from './proc.ts'

export interface BenchOptions {
  /** More and longer rounds. */
  long: boolean
  /** Drops a round in which other programs used more cores than this. */
  foreign: number
}

export interface Bench extends BenchOptions {
  /** Runs the load generator once. */
  load(plan: LoadPlan): Promise<Reading>
  /** Runs a program of `targets/` that measures without a server. */
  raw(program: string, plan: RawPlan & Record<string, unknown>): Promise<RawReading>
  /** Runs a measurement of the bench itself in a round, in which it is its own load generator. */
  observe<T>(work: () => Promise<T>): Promise<T>
  /**
   * Runs `work` in rounds until `count` of them were quiet, at most twice as many. A short run has fewer rounds. All
   * that is compared is measured in the same round, one after the other.
   * @throws Disturbed when no round was quiet
   */
  rounds<T>(count: number, work: () => Promise<T>): Promise<Rounds<T>>
}

/** The most cores used in any one measurement. */
interface Busiest {
  /** By programs that the bench did not start. */
  foreign: number
  /** By a load generator. */
  generator: number
}

export interface Rounds<T> extends Busiest {
  kept: T[]
  dropped: number
}

/** Waits until the machine is quiet. */
export class Disturbed extends Error {}

export function createBench(options: BenchOptions): Bench {
  let ofRound = idle
  const run = async <T extends { foreignCores: number; ownCores?: number }>(
    program: string,
    plan: unknown,
  ): Promise<T> => {
    const child = Bun.spawn([process.execPath, join(import.meta.dir, program)], {
      stdin: new Blob([JSON.stringify(plan)]),
      stdout: 'pipe',
      stderr: 'inherit',
    })
    const [text, code] = await Promise.all([child.stdout.text(), child.exited])
    if (code !== 0) throw new Error(`${program} ended with ${code}`)
    // JSON writes NaN, the median of an empty list, as null.
    const reading: T = JSON.parse(text, (_, value) => value ?? Number.NaN)
    ofRound = busier(ofRound, { foreign: reading.foreignCores, generator: reading.ownCores ?? 0 })
    return reading
  }
  return {
    ...options,
    load: (plan) => run('load.ts', plan),
    raw: (program, plan) => run(join('targets', program), plan),
    async observe(work) {
      const watch = watchMachine(process.pid)
      const ownBefore = process.cpuUsage()
      const result = await work()
      const { seconds, foreignCores } = watch()
      const generator = coresOf(process.cpuUsage(ownBefore), seconds)
      ofRound = busier(ofRound, { foreign: foreignCores, generator })
      return result
    },
    async rounds(count, work) {
      const wanted = options.long ? count * 3 : count
      const kept: Awaited<ReturnType<typeof work>>[] = []
      let [dropped, quietest, busiest] = [0, Number.POSITIVE_INFINITY, idle]
      while (kept.length < wanted && kept.length + dropped < 2 * wanted) {
        ofRound = idle
        const readings = await work()
        quietest = Math.min(quietest, ofRound.foreign)
        const quiet = ofRound.foreign <= options.foreign
        say(`${quiet ? '.' : 'x'}`)
        if (quiet) {
          kept.push(readings)
          busiest = busier(busiest, ofRound)
        } else dropped++
      }
      if (kept.length > 0) return { kept, dropped, ...busiest }
      throw new Disturbed(
        `other programs took at least ${quietest.toFixed(2)} cores in each of ${dropped} rounds, more than ${options.foreign}`,
      )
    },
  }
}

const idle: Busiest = { foreign: 0, generator: 0 }

const busier = (one: Busiest, other: Busiest): Busiest => ({
  foreign: Math.max(one.foreign, other.foreign),
  generator: Math.max(one.generator, other.generator),
})

export const say = (text: string): unknown => process.stderr.write(text)

export function median(values: readonly number[]): number {
  const sorted = values.filter((value) => !Number.isNaN(value)).sort((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

/** The median over rounds of a value of one round. A ratio is taken within each round, not between medians. */
export const medianOf = <T>(rounds: readonly T[], pick: (round: T) => number): number => median(rounds.map(pick))

export const inTurn = async <T>(steps: Record<string, () => Promise<T>>): Promise<Record<string, T>> => {
  const results: Record<string, T> = {}
  for (const [name, step] of Object.entries(steps)) results[name] = await step()
  return results
}
