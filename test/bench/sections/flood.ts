import { type Bench, medianOf } from '../bench.ts'
import type { RawReading, Reading } from '../plan.ts'
import { cores } from '../proc.ts'
import { type Findings, figure, pair, percent } from '../report.ts'
import { logIn, names, readSelf, register, signUpAll } from '../requests.ts'
import { type Server, startElysia, startKeyward } from '../servers.ts'

const USERS = names('user', 16)
/** Several accounts: each login beyond the fiftieth of one account also ends a session. */
const PROBERS = names('prober', 16)
const CROWD = 2_000

export async function flood(bench: Bench): Promise<Findings> {
  const keyward = await probed(await startKeyward())
  const elysia = await probed(await startElysia())
  const rounds = await bench.rounds(2, async () => {
    const hashes = { act: 'verify', inFlight: cores, warmupMs: 300, durationMs: 3_000 }
    return {
      // Before and after the measurement it is compared with, because the machine's speed changes within a minute.
      rawBefore: await bench.raw('raw-hash.ts', hashes),
      keyward: await isolation(bench, keyward),
      elysia: await isolation(bench, elysia),
      // A full queue lasts five seconds.
      crowd: await bench.load({
        ...keyward,
        ...hammer(CROWD),
        warmupMs: 5_500,
        durationMs: bench.long ? 12_000 : 5_000,
      }),
      rawAfter: await bench.raw('raw-hash.ts', hashes),
    }
  })
  const of = (pick: (round: (typeof rounds.kept)[number]) => number) => medianOf(rounds.kept, pick)
  const row = (title: string, name: 'keyward' | 'elysia') => [
    title,
    pair(
      of((round) => round[name].unloaded.p50),
      of((round) => round[name].unloaded.p99),
    ),
    pair(
      of((round) => round[name].loaded.p50),
      of((round) => round[name].loaded.p99),
    ),
    figure(of((round) => round[name].loaded.p99 / round[name].unloaded.p99)),
    String(sum(rounds.kept.map((round) => errorsOf(round[name].loaded)))),
    figure(of((round) => round[name].logins.perSecond)),
    percent(of((round) => round[name].logins.perSecond / raw(round))),
  ]
  const refused = rounds.kept.flatMap(({ crowd }) => Object.keys(crowd.answers).filter((status) => status !== '200'))
  return {
    title: 'A flood of logins',
    text: `\`GET /users/me\` 200 times a second, each measured from its due time, while 64 clients of another process log in without a pause. Then ${CROWD.toLocaleString('en')} clients, which retry at once when they are refused.`,
    table: [
      [
        '',
        'unloaded p50 / p99 ms',
        'under the flood p50 / p99 ms',
        'p99, times',
        'errors',
        'logins/s',
        'of `Bun.password.verify`',
      ],
      row('Keyward', 'keyward'),
      row('Elysia service', 'elysia'),
    ],
    gates: [
      {
        what: '`GET /users/me` under the flood: p99, relative to unloaded, or in milliseconds',
        value: of((round) => round.keyward.loaded.p99 / round.keyward.unloaded.p99),
        atMost: 2,
        or: { what: '', value: of((round) => round.keyward.loaded.p99), atMost: 5, unit: 'ms' },
      },
      {
        what: 'errors',
        value: sum(rounds.kept.map((round) => errorsOf(round.keyward.loaded))),
        atMost: 0,
        unit: 'count',
      },
      {
        what: 'logins meanwhile, relative to the raw limit',
        value: of((round) => round.keyward.logins.perSecond / raw(round)),
        atLeast: 0.95,
        unit: 'percent',
      },
      {
        what: `${CROWD.toLocaleString('en')} clients: accepted logins, relative to the raw limit`,
        value: of((round) => round.crowd.perSecond / raw(round)),
        atLeast: 0.9,
        unit: 'percent',
      },
      {
        what: `${CROWD.toLocaleString('en')} clients: answers that are neither 200 nor 503`,
        value: refused.filter((status) => status !== '503').length,
        atMost: 0,
        unit: 'count',
      },
    ],
    notes: [
      `Of ${CROWD.toLocaleString('en')} clients ${figure(of(({ crowd }) => crowd.perSecond))} a second were let in, after ${pair(
        of(({ crowd }) => crowd.p50),
        of(({ crowd }) => crowd.p99),
      )} ms (p50 / p99), and ${figure(of(({ crowd }) => (crowd.answers['503'] ?? 0) / crowd.seconds))} a second answered 503.`,
    ],
    rounds,
  }
}

interface Probed extends Server {
  probes: string[]
}

async function probed(server: Server): Promise<Probed> {
  await register(server.port, USERS)
  const tokens = await signUpAll(server.port, PROBERS)
  return { ...server, probes: tokens.map(({ access_token }) => readSelf(access_token)) }
}

const hammer = (connections: number) => ({ connections, requests: USERS.map((name) => logIn(name)) })

/** Sends `GET /users/me` at a steady rate, first alone, then while 64 clients log in. */
async function isolation(bench: Bench, { probes, ...server }: Probed) {
  const probe = { ...server, connections: 16, requests: probes, rate: 200 }
  const unloaded = await bench.load({ ...probe, warmupMs: 500, durationMs: bench.long ? 8_000 : 3_000 })
  const together = { warmupMs: 2_500, durationMs: bench.long ? 12_000 : 5_000 }
  const [loaded, logins] = await Promise.all([
    bench.load({ ...probe, ...together }),
    bench.load({ ...server, ...hammer(64), ...together }),
  ])
  return { unloaded, loaded, logins }
}

/** How many hashes the machine computes in a second with no other load. */
const raw = ({ rawBefore, rawAfter }: { rawBefore: RawReading; rawAfter: RawReading }): number =>
  (rawBefore.perSecond + rawAfter.perSecond) / 2

const errorsOf = ({ answers }: Reading): number =>
  sum(Object.entries(answers).map(([status, count]) => (status === '200' ? 0 : count)))

const sum = (values: number[]): number => values.reduce((total, value) => total + value, 0)
