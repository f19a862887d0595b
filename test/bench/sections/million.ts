import { join } from 'node:path'
import { binaryPath } from '../../support/binary.ts'
import { scratchFolder } from '../../support/scratch.ts'
import { type Bench, inTurn, medianOf } from '../bench.ts'
import { fill, tokenLike } from '../fill.ts'
import { type Findings, figure, pair } from '../report.ts'
import { logInAll, readSelf } from '../requests.ts'
import { keywardSettings, launch, type Server, startKeyward } from '../servers.ts'

/** As many as Keyward keeps verified with room to spare: of both sizes the database is what differs. */
const TOKENS = 8_000

export async function million(bench: Bench): Promise<Findings> {
  const small = await filled(1_000, TOKENS / 1_000)
  const large = await filled(1_000_000, 1)
  const load = ({ server, requests }: Filled) =>
    bench.load({
      ...server,
      connections: 64,
      requests,
      // Every token once, so that each is verified.
      warmupMs: 1_500,
      durationMs: bench.long ? 4_000 : 2_000,
    })
  const rounds = await bench.rounds(3, () => inTurn({ small: () => load(small), large: () => load(large) }))
  const value = (name: string, of: 'perSecond' | 'cpuMicros' | 'p50' | 'p99') =>
    medianOf(rounds.kept, (round) => round[name]![of])
  const ratio = (of: 'perSecond' | 'cpuMicros') => medianOf(rounds.kept, ({ small, large }) => large![of] / small![of])
  const row = (title: string, name: string) => [
    title,
    figure(value(name, 'perSecond')),
    figure(value(name, 'cpuMicros')),
    pair(value(name, 'p50'), value(name, 'p99')),
  ]
  return {
    title: 'A million users',
    text: `\`GET /users/me\` at 64 connections with ${TOKENS.toLocaleString('en')} tokens in random order: of all 1,000 users, and of as many random ones out of 1,000,000, who have a session each.`,
    table: [
      ['', 'requests/s', 'server CPU µs/request', 'p50 / p99 ms'],
      row('1,000 users', 'small'),
      row('1,000,000 users', 'large'),
    ],
    gates: [
      {
        what: 'requests per second, of those with 1,000 users',
        value: ratio('perSecond'),
        atLeast: 0.95,
        unit: 'percent',
      },
      { what: 'CPU per request, times that with 1,000 users', value: ratio('cpuMicros') },
    ],
    rounds,
  }
}

interface Filled {
  server: Server
  requests: string[]
}

async function filled(users: number, sessions: number): Promise<Filled> {
  const path = join(scratchFolder('bench-db'), 'keyward.db')
  const settings = { DATABASE_URL: `sqlite:///${path}` }
  const { child } = launch([await binaryPath(), 'migrate', 'up'], keywardSettings(settings))
  if ((await child.exited) !== 0) throw new Error('keyward migrate up failed')
  await fill(path, { users, sessions })
  const server = await startKeyward(settings)
  const [own] = await logInAll(server.port, ['user1'])
  const someone = picker()
  const chosen =
    users * sessions === TOKENS
      ? Array.from({ length: TOKENS }, (_, index) => ({
          user: (index % users) + 1,
          session: Math.floor(index / users),
        }))
      : Array.from({ length: TOKENS }, () => ({ user: (someone() % users) + 1, session: 0 }))
  const requests = chosen
    .map((one) => ({ ...one, order: someone() }))
    .sort((a, b) => a.order - b.order)
    .map(({ user, session }) => readSelf(tokenLike(own!.access_token, user, session)))
  return { server, requests }
}

/** The same numbers below 2^31 in every run (the generator of Park and Miller). */
function picker(): () => number {
  let state = 42
  return () => {
    state = (state * 48_271) % 2_147_483_647
    return state
  }
}
