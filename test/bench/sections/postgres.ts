import { startPostgres } from '../../support/postgres.ts'
import { type Bench, medianOf } from '../bench.ts'
import { type Findings, figure, pair, percent } from '../report.ts'
import { names, readSelf, signUpAll } from '../requests.ts'
import { startKeyward } from '../servers.ts'

const IN_FLIGHT = 64
/** Connections to PostgreSQL for both; this is Keyward's default. */
const POOL = 10

export async function postgres(bench: Bench): Promise<Findings> {
  const server = await startPostgres()
  const { url } = await server.createDatabase()
  const keyward = await startKeyward({ DATABASE_URL: url, POSTGRES_POOL_SIZE: String(POOL) })
  const tokens = await signUpAll(keyward.port, names('user', 32))
  const requests = tokens.map(({ access_token }) => readSelf(access_token))
  const timing = { warmupMs: 700, durationMs: bench.long ? 5_000 : 2_500 }
  const ids = tokens.map((_, index) => index + 1)
  await bench.load({ ...keyward, connections: IN_FLIGHT, requests, warmupMs: 0, durationMs: 1_500 })
  const rounds = await bench.rounds(3, async () => ({
    raw: await bench.raw('raw-reads.ts', { url, poolSize: POOL, ids, inFlight: IN_FLIGHT, ...timing }),
    keyward: await bench.load({ ...keyward, connections: IN_FLIGHT, requests, ...timing }),
  }))
  const of = (pick: (round: (typeof rounds.kept)[number]) => number) => medianOf(rounds.kept, pick)
  const ofRaw = of(({ keyward, raw }) => keyward.perSecond / raw.perSecond)
  return {
    title: 'On PostgreSQL',
    text: `\`GET /users/me\` at ${IN_FLIGHT} connections on an embedded PostgreSQL 18 on the same machine, beside point reads of a user with \`Bun.SQL\` alone, ${IN_FLIGHT} in flight; a pool of ${POOL} for both.`,
    table: [
      ['', 'per second', 'of raw', 'own CPU µs each', 'p50 / p99 ms'],
      [
        'Bun.SQL',
        figure(of(({ raw }) => raw.perSecond)),
        percent(1),
        figure(of(({ raw }) => 1e6 / raw.perCoreSecond)),
        '–',
      ],
      [
        'Keyward',
        figure(of(({ keyward }) => keyward.perSecond)),
        percent(ofRaw),
        figure(of(({ keyward }) => keyward.cpuMicros)),
        pair(
          of(({ keyward }) => keyward.p50),
          of(({ keyward }) => keyward.p99),
        ),
      ],
    ],
    gates: [{ what: 'requests per second, relative to raw point reads', value: ofRaw, atLeast: 0.4, unit: 'percent' }],
    rounds,
  }
}
