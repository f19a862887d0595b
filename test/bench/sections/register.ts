import { type Bench, inTurn, medianOf } from '../bench.ts'
import type { RawReading, Reading } from '../plan.ts'
import { cores } from '../proc.ts'
import { type Findings, figure, pair, percent } from '../report.ts'
import { names, signUp } from '../requests.ts'
import { startElysia, startKeyward } from '../servers.ts'

const IN_FLIGHT = 16

export async function register(bench: Bench): Promise<Findings> {
  const services = { Keyward: await startKeyward(), 'Elysia service': await startElysia() }
  let run = 0
  const steps: Record<string, () => Promise<RawReading | Reading>> = {
    [RAW]: () => bench.raw('raw-hash.ts', { act: 'hash', inFlight: cores, warmupMs: 500, durationMs: 4_000 }),
  }
  for (const [name, server] of Object.entries(services))
    steps[name] = () =>
      bench.load({
        ...server,
        connections: IN_FLIGHT,
        requests: names(`new${++run}x`, 250 * cores).map(signUp),
        once: true,
        warmupMs: 1_500,
        durationMs: 4_000,
      })
  const rounds = await bench.rounds(2, () => inTurn(steps))
  const value = (name: string, of: 'perSecond' | 'perCoreSecond') => medianOf(rounds.kept, (round) => round[name]![of])
  const ofRaw = (name: string, of: 'perSecond' | 'perCoreSecond') =>
    medianOf(rounds.kept, (round) => round[name]![of] / round[RAW]![of])
  const latency = (name: string, of: 'p50' | 'p99') =>
    medianOf(rounds.kept, (round) => (name === RAW ? Number.NaN : (round[name] as Reading)[of]))
  return {
    title: 'Registrations',
    text: `\`POST /register\`, ${IN_FLIGHT} in flight, beside \`Bun.password.hash\` alone; every registration that was answered is on disk.`,
    table: [
      ['', 'per second', 'of raw', 'per core-second', 'of raw', 'p50 / p99 ms'],
      ...Object.keys(steps).map((name) => [
        name,
        figure(value(name, 'perSecond')),
        percent(ofRaw(name, 'perSecond')),
        figure(value(name, 'perCoreSecond')),
        percent(ofRaw(name, 'perCoreSecond')),
        pair(latency(name, 'p50'), latency(name, 'p99')),
      ]),
    ],
    gates: [
      {
        what: 'registrations, relative to the raw hash limit',
        value: ofRaw('Keyward', 'perSecond'),
        atLeast: 0.95,
        unit: 'percent',
      },
    ],
    rounds,
  }
}

const RAW = 'Bun.password.hash'
