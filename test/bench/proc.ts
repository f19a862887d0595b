import { readdirSync, readFileSync } from 'node:fs'
import { availableParallelism, cpus, release } from 'node:os'

/** Linux reports CPU time in hundredths of a second, whatever the kernel's own tick is. */
const TICKS = 100

interface ProcessTimes {
  parent: number
  seconds: number
  /** CPU time of its children that have ended, and their children. */
  ended: number
}

function processTimes(pid: number | string): ProcessTimes | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    // The name before it may contain spaces and brackets.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    const [user, system, endedUser, endedSystem] = fields.slice(11, 15).map((ticks) => Number(ticks) / TICKS)
    return { parent: Number(fields[1]), seconds: user! + system!, ended: endedUser! + endedSystem! }
  } catch {
    return undefined // it ended meanwhile
  }
}

/** CPU seconds used by a process, user and system, all threads. */
export const cpuSeconds = (pid: number): number => processTimes(pid)?.seconds ?? 0

/** CPU seconds of a process and all its descendants. */
function treeCpuSeconds(root: number): number {
  const all = new Map<number, ProcessTimes>()
  for (const name of readdirSync('/proc')) {
    const times = /^\d+$/.test(name) ? processTimes(name) : undefined
    if (times) all.set(Number(name), times)
  }
  let sum = 0
  for (const [pid, { seconds, ended }] of all) {
    let at: number | undefined = pid
    while (at !== undefined && at !== root) at = all.get(at)?.parent
    if (at === root) sum += seconds + ended
  }
  return sum
}

/** CPU seconds used by all processes of the machine. */
function busySeconds(): number {
  const [, user, nice, system, , , irq, softirq] = readFileSync('/proc/stat', 'latin1').split('\n', 1)[0]!.split(/ +/)
  return [user, nice, system, irq, softirq].reduce((sum, ticks) => sum + Number(ticks), 0) / TICKS
}

/** Starts a measurement. The result tells the elapsed time and how many cores other programs than `root` used. */
export function watchMachine(root: number): () => { seconds: number; foreignCores: number } {
  const since = { time: performance.now(), busy: busySeconds(), ours: treeCpuSeconds(root) }
  return () => {
    const seconds = (performance.now() - since.time) / 1_000
    const foreign = busySeconds() - since.busy - (treeCpuSeconds(root) - since.ours)
    return { seconds, foreignCores: Math.max(0, foreign / seconds) }
  }
}

/** How many cores a process used. */
export const coresOf = ({ user, system }: NodeJS.CpuUsage, seconds: number): number => (user + system) / 1e6 / seconds

/** How many hashes can run in parallel. */
export const cores = availableParallelism()

/** Resident memory of a process, in MiB. */
export function residentMiB(pid: number): number {
  const kilobytes = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1]
  return Number(kilobytes) / 1024
}

/** Describes this machine, for the line below the figures. */
export const machine = (): string =>
  `${cores} cores of ${cpus()[0]?.model.trim() ?? 'an unknown CPU'}, Linux ${release()}, Bun ${Bun.version}`
