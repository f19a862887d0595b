import { join } from 'node:path'
import { scratchFolder } from '../../support/scratch.ts'
import { type Bench, inTurn, medianOf } from '../bench.ts'
import type { RawReading, Reading } from '../plan.ts'
import { type Findings, figure, pair } from '../report.ts'
import { logInAll, names, refresh as refreshWith, register } from '../requests.ts'
import { type Server, startElysia, startKeyward } from '../servers.ts'

const CONNECTIONS = 16
const USERS = names('user', CONNECTIONS)

export async function refresh(bench: Bench): Promise<Findings> {
  const services = {
    [NORMAL]: await startKeyward({ SQLITE_SYNCHRONOUS: 'NORMAL' }),
    [ELYSIA]: await startElysia(),
    [FULL]: await startKeyward({ SQLITE_SYNCHRONOUS: 'FULL' }),
  }
  for (const { port } of Object.values(services)) await register(port, USERS)
  const timing = { warmupMs: 500, durationMs: bench.long ? 5_000 : 2_500 }
  const load = async (server: Server, durationMs = timing.durationMs): Promise<Reading> => {
    // Only the load generator knows the refresh tokens of the previous round.
    const tokens = await logInAll(server.port, USERS)
    const requests = tokens.map(({ refresh_token }) => refreshWith(refresh_token))
    return bench.load({ ...server, connections: CONNECTIONS, requests, chain: 'refresh_token', ...timing, durationMs })
  }
  const path = join(scratchFolder('bench-db'), 'raw.db')
  const steps: Record<string, () => Promise<RawReading | Reading>> = {
    ...Object.fromEntries(Object.entries(services).map(([name, server]) => [name, () => load(server)])),
    [COMMITS]: () => bench.raw('raw-commits.ts', { path, synchronous: 'FULL', inFlight: 1, ...timing }),
  }
  // A server is measured only after its code is compiled: each becomes a tenth faster in the first two seconds.
  for (const server of Object.values(services)) await load(server, 3_000)
  const rounds = await bench.rounds(3, () => inTurn(steps))
  const value = (name: string) => medianOf(rounds.kept, (round) => round[name]!.perSecond)
  const ratio = (name: string, to: string) =>
    medianOf(rounds.kept, (round) => round[name]!.perSecond / round[to]!.perSecond)
  const more = (name: string, of: 'cpuMicros' | 'p50' | 'p99') =>
    medianOf(rounds.kept, (round) => (name === COMMITS ? Number.NaN : (round[name] as Reading)[of]))
  return {
    title: 'Refresh with rotation',
    text: `\`POST /token/refresh\` on ${CONNECTIONS} connections, each with its own session and the token of the last answer. The Elysia service deletes the old token and inserts the new one in one transaction, with \`synchronous=NORMAL\`.`,
    table: [
      ['', 'per second', 'CPU µs each', 'p50 / p99 ms'],
      ...Object.keys(steps).map((name) => [
        name,
        figure(value(name)),
        figure(more(name, 'cpuMicros')),
        pair(more(name, 'p50'), more(name, 'p99')),
      ]),
    ],
    gates: [
      { what: 'with `NORMAL`, relative to the Elysia service', value: ratio(NORMAL, ELYSIA), atLeast: 1.5 },
      { what: 'with `FULL`, relative to SQLite alone', value: ratio(FULL, COMMITS), atLeast: 1.5 },
    ],
    rounds,
  }
}

const NORMAL = 'Keyward, NORMAL'
const ELYSIA = 'Elysia service, NORMAL'
const FULL = 'Keyward, FULL'
const COMMITS = 'SQLite alone, FULL, a commit each'
