import { type Bench, inTurn, medianOf } from '../bench.ts'
import type { RawReading, Reading } from '../plan.ts'
import { cores } from '../proc.ts'
import { type Findings, figure, pair, percent } from '../report.ts'
import { logIn, names, register } from '../requests.ts'
import { startElysia, startFastapi, startKeyward, withoutFastapi } from '../servers.ts'

const USERS = names('user', 16)

export async function login(bench: Bench): Promise<Findings> {
  const keyward = await startKeyward()
  const elysia = await startElysia()
  const fastapi = bench.long ? await startFastapi() : undefined
  for (const server of [keyward, elysia, fastapi]) if (server) await register(server.port, USERS)
  const requests = USERS.map((name) => logIn(name))
  // With 64 in flight the first answers come early. The queue is stable only after all have waited in a full one.
  const flood = { connections: 64, requests, warmupMs: 4_000, durationMs: 5_000 }
  const few = { connections: 8, requests, warmupMs: 800, durationMs: 4_000 }
  const steps: Record<string, () => Promise<RawReading | Reading>> = {
    [RAW]: () => bench.raw('raw-hash.ts', { act: 'verify', inFlight: cores, warmupMs: 300, durationMs: 3_000 }),
    'Keyward, 8 in flight': () => bench.load({ ...keyward, ...few }),
    'Keyward, 64 in flight': () => bench.load({ ...keyward, ...flood }),
    'Elysia service, 8 in flight': () => bench.load({ ...elysia, ...few }),
    ...(fastapi && { 'FastAPI service, 8 in flight': () => bench.load({ ...fastapi, ...few }) }),
  }
  // The first logins run code that is not compiled yet, which is not part of the cost of a hash.
  for (const server of [keyward, elysia]) await bench.load({ ...server, ...few })
  const rounds = await bench.rounds(2, () => inTurn(steps))
  const value = (name: string, of: 'perSecond' | 'perCoreSecond') => medianOf(rounds.kept, (round) => round[name]![of])
  const ofRaw = (name: string, of: 'perSecond' | 'perCoreSecond') =>
    medianOf(rounds.kept, (round) => round[name]![of] / round[RAW]![of])
  const latency = (name: string, of: (reading: Reading) => number) =>
    medianOf(rounds.kept, (round) => (name === RAW ? Number.NaN : of(round[name] as Reading)))
  const spread = (name: string) => latency(name, ({ p50, p99 }) => p99 / p50)
  const row = (name: string) => [
    name,
    figure(value(name, 'perSecond')),
    percent(ofRaw(name, 'perSecond')),
    figure(value(name, 'perCoreSecond')),
    percent(ofRaw(name, 'perCoreSecond')),
    pair(
      latency(name, ({ p50 }) => p50),
      latency(name, ({ p99 }) => p99),
    ),
    figure(spread(name)),
  ]
  return {
    title: 'Logins',
    text: `\`POST /token\` at bcrypt cost 10, beside \`Bun.password.verify\` alone with as many in flight as there are cores.`,
    table: [
      ['', 'per second', 'of raw', 'per core-second', 'of raw', 'p50 / p99 ms', 'p99 / p50'],
      ...Object.keys(steps).map(row),
    ],
    gates: [
      ...['Keyward, 8 in flight', 'Keyward, 64 in flight'].map((name) => ({
        what: `${name}: logins per core-second, of raw`,
        value: ofRaw(name, 'perCoreSecond'),
        atLeast: 0.97,
        unit: 'percent' as const,
      })),
      { what: 'Keyward, 64 in flight: p99, relative to p50', value: spread('Keyward, 64 in flight'), atMost: 1.15 },
    ],
    notes: bench.long && !fastapi ? [withoutFastapi] : [],
    rounds,
  }
}

const RAW = 'Bun.password.verify'
