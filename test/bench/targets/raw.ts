import type { RawPlan, RawReading } from '../plan.ts'
import { watchMachine } from '../proc.ts'

export const readPlan = async <T>(): Promise<RawPlan & T> => JSON.parse(await Bun.stdin.text())

/** Repeats `act`, as many in parallel as the plan says, and prints how often it finished. */
export async function countRaw({ inFlight, warmupMs, durationMs }: RawPlan, act: () => unknown): Promise<void> {
  const begin = performance.now() + warmupMs
  const end = begin + durationMs
  let count = 0
  let since: { watch: ReturnType<typeof watchMachine>; cpu: NodeJS.CpuUsage } | undefined
  let reading: RawReading | undefined
  const oneAfterAnother = async () => {
    while (reading === undefined) {
      await act()
      const now = performance.now()
      if (since === undefined) {
        if (now >= begin) since = { watch: watchMachine(process.ppid), cpu: process.cpuUsage() }
        continue
      }
      count++
      if (now < end) continue
      const { user, system } = process.cpuUsage(since.cpu)
      const { seconds, foreignCores } = since.watch()
      reading ??= { perSecond: count / seconds, perCoreSecond: (count * 1e6) / (user + system), foreignCores }
    }
  }
  await Promise.all(Array.from({ length: inFlight }, oneAfterAnother))
  process.stdout.write(JSON.stringify(reading), () => process.exit(0))
}
