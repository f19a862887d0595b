import { copyFileSync } from 'node:fs'
import { join } from 'node:path'
import { scratchFolder } from '../../support/scratch.ts'
import { type Bench, inTurn, medianOf } from '../bench.ts'
import { type Filling, filled, picker, tokenLike } from '../fill.ts'
import { type Findings, figure, pair } from '../report.ts'
import { logInAll, readSelf } from '../requests.ts'
import { type Server, startKeyward } from '../servers.ts'

/** Fewer tokens than Keyward's cache of verified ones holds, so that only the database differs between the servers. */
const TOKENS = 8_000

/** The pages that requests read for 8,000 users out of a million just fit. */
const CACHE_MB = 128

export async function million(bench: Bench): Promise<Findings> {
  const few = { users: 1_000, sessions: TOKENS / 1_000 }
  const many = { users: 1_000_000, sessions: 1 }
  const path = await filled(many)
  const copy = join(scratchFolder('bench-db'), 'keyward.db')
  copyFileSync(path, copy)
  const small = await served(await filled(few), few)
  const large = await served(path, many, { SQLITE_CACHE_MB: String(CACHE_MB) })
  const uncached = await served(copy, many)
  const load = ({ server, requests }: Served) =>
    bench.load({
      ...server,
      connections: 64,
      requests,
      // Uses every token once, so that each is verified.
      warmupMs: 1_500,
      durationMs: bench.long ? 4_000 : 2_000,
    })
  const rounds = await bench.rounds(3, () =>
    inTurn({ small: () => load(small), large: () => load(large), uncached: () => load(uncached) }),
  )
  const value = (name: string, of: 'perSecond' | 'cpuMicros' | 'p50' | 'p99') =>
    medianOf(rounds.kept, (round) => round[name]![of])
  const ratio = (name: 'large' | 'uncached', of: 'perSecond' | 'cpuMicros') =>
    medianOf(rounds.kept, (round) => round[name]![of] / round.small![of])
  const row = (title: string, name: string) => [
    title,
    figure(value(name, 'perSecond')),
    figure(value(name, 'cpuMicros')),
    pair(value(name, 'p50'), value(name, 'p99')),
  ]
  return {
    title: 'A million users',
    text: `\`GET /users/me\` at 64 connections with ${TOKENS.toLocaleString('en')} tokens in random order: of all 1,000 users, and of as many random ones out of 1,000,000. Each user has a session. \`SQLITE_CACHE_MB\` is as the rows say; its default is enough for 1,000 users.`,
    table: [
      ['', 'requests/s', 'server CPU µs/request', 'p50 / p99 ms'],
      row('1,000 users', 'small'),
      row(`1,000,000 users, SQLITE_CACHE_MB=${CACHE_MB}`, 'large'),
      row('1,000,000 users, with the default', 'uncached'),
    ],
    gates: [
      {
        what: 'requests per second, relative to 1,000 users',
        value: ratio('large', 'perSecond'),
        atLeast: 0.95,
        unit: 'percent',
      },
      {
        what: 'the same with the default of SQLITE_CACHE_MB',
        value: ratio('uncached', 'perSecond'),
        atLeast: 0.7,
        unit: 'percent',
      },
      { what: 'CPU per request, relative to 1,000 users', value: ratio('large', 'cpuMicros') },
    ],
    rounds,
  }
}

interface Served {
  server: Server
  requests: string[]
}

async function served(
  path: string,
  { users, sessions }: Filling,
  settings: Record<string, string> = {},
): Promise<Served> {
  const server = await startKeyward({ DATABASE_URL: `sqlite:///${path}`, ...settings })
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
