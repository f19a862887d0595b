import { type Bench, inTurn, medianOf } from '../bench.ts'
import type { Reading } from '../plan.ts'
import { type Findings, figure, pair, percent } from '../report.ts'
import { names, readSelf, signUpAll } from '../requests.ts'
import { type Server, startBare, startElysia, startFastapi, startKeyward, withoutFastapi } from '../servers.ts'

const CONNECTIONS = 64

export async function me(bench: Bench): Promise<Findings> {
  const fastapi = await startFastapi()
  const services: Record<string, Server> = {
    'Keyward, HS256': await startKeyward({ JWT_ALG: 'HS256' }),
    'Keyward, ES256': await startKeyward({ JWT_ALG: 'ES256' }),
    'Elysia service': await startElysia(),
    ...(fastapi && { 'FastAPI service': fastapi }),
  }
  const targets: Record<string, { server: Server; requests: string[] }> = {
    'bare Bun.serve': { server: await startBare(), requests: [readSelf('none')] },
  }
  for (const [name, server] of Object.entries(services)) {
    const tokens = await signUpAll(server.port, names('user', CONNECTIONS / 2))
    targets[name] = { server, requests: tokens.map(({ access_token }) => readSelf(access_token)) }
  }
  const read = ({ server, requests }: { server: Server; requests: string[] }, warmupMs = 300): Promise<Reading> =>
    bench.load({ ...server, connections: CONNECTIONS, requests, warmupMs, durationMs: bench.long ? 4_000 : 1_500 })

  // A server is measured only after its code is compiled: each becomes a tenth faster in the first two seconds.
  for (const target of Object.values(targets))
    await bench.load({ ...target.server, ...WARM_UP, requests: target.requests })
  const rounds = await bench.rounds(4, () =>
    inTurn(Object.fromEntries(Object.entries(targets).map(([name, target]) => [name, () => read(target)]))),
  )
  const ratio = (name: string, to: string, of: 'perSecond' | 'cpuMicros') =>
    medianOf(rounds.kept, (round) => round[name]![of] / round[to]![of])
  const value = (name: string, of: Exclude<keyof Reading, 'answers'>) =>
    medianOf(rounds.kept, (round) => round[name]![of])
  const bare = 'bare Bun.serve'
  return {
    title: '`GET /users/me`',
    text: `${CONNECTIONS} connections, half as many users; session and user are read from SQLite on every request, the access log goes to a file.`,
    table: [
      ['', 'requests/s', 'of bare', 'server CPU µs/request', 'times bare', 'p50 / p99 ms', 'generator’s cores'],
      ...Object.keys(targets).map((name) => [
        name,
        figure(value(name, 'perSecond')),
        percent(ratio(name, bare, 'perSecond')),
        figure(value(name, 'cpuMicros')),
        figure(ratio(name, bare, 'cpuMicros')),
        pair(value(name, 'p50'), value(name, 'p99')),
        figure(value(name, 'ownCores')),
      ]),
    ],
    gates: [
      {
        what: 'CPU per request, relative to the bare server',
        value: ratio('Keyward, ES256', bare, 'cpuMicros'),
        atMost: 2.2,
      },
      {
        what: 'requests per second, relative to the bare server',
        value: ratio('Keyward, ES256', bare, 'perSecond'),
        atLeast: 0.5,
        unit: 'percent',
      },
      {
        what: 'ES256, relative to HS256',
        value: ratio('Keyward, ES256', 'Keyward, HS256', 'perSecond'),
        atLeast: 0.9,
        unit: 'percent',
      },
      {
        what: 'requests per second, relative to the Elysia service',
        value: ratio('Keyward, ES256', 'Elysia service', 'perSecond'),
      },
    ],
    notes: fastapi ? [] : [withoutFastapi],
    rounds,
  }
}

const WARM_UP = { connections: CONNECTIONS, warmupMs: 0, durationMs: 3_000 }
