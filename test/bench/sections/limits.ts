import { type Bench, inTurn, medianOf } from '../bench.ts'
import { type Findings, figure, pair } from '../report.ts'
import { logIn, names, readSelf, signUpAll } from '../requests.ts'
import { type Server, startKeyward } from '../servers.ts'

const USERS = names('user', 16)
const OWNERS = USERS.slice(8)

export async function limits(bench: Bench): Promise<Findings> {
  const off = await prepared('off')
  const on = await prepared('on')
  const cheap = { BCRYPT_COST: '4' }
  const cheapOff = await prepared('off', cheap)
  // The load generator logs in more often than anybody may.
  const cheapOn = await prepared('on', { ...cheap, LIMITS: 'login.right=99999/1h' })
  // The built-in limits allow a guess every few seconds, whose hash would be counted as the cost of a refusal.
  const attacked = await prepared('on', { LIMITS: 'login.name_prefix=5/1d,login.account_prefix=10/1d' })
  const guesses = await exhaust(attacked.server)
  const read = ({ server, reads }: Prepared) =>
    bench.load({ ...server, connections: 64, requests: reads, warmupMs: 300, durationMs: bench.long ? 4_000 : 1_500 })
  const logInBy = ({ server }: Prepared, connections: number, durationMs: number) =>
    bench.load({
      ...server,
      connections,
      requests: OWNERS.map((name, index) => logIn(name, { from: home(index) })),
      warmupMs: 800,
      durationMs: bench.long ? durationMs * 2 : durationMs,
    })
  const refused = { ...attacked.server, connections: 64, requests: guesses }
  const probe = { ...attacked.server, connections: 16, requests: attacked.reads, rate: 200 }
  const together = { warmupMs: 700, durationMs: bench.long ? 8_000 : 4_000 }
  for (const one of [off, on]) await read(one)
  // A server that has seen a few hundred logins is still compiling.
  for (const one of [cheapOff, cheapOn]) await logInBy(one, 8, 3_000)
  await bench.load({ ...refused, warmupMs: 0, durationMs: 3_000 })
  const rounds = await bench.rounds(2, async () => {
    const steps = await inTurn({
      meOff: () => read(off),
      meOn: () => read(on),
      login: () => logInBy(off, 8, 4_000),
      cheapOff: () => logInBy(cheapOff, 1, 2_500),
      cheapOn: () => logInBy(cheapOn, 1, 2_500),
      unloaded: () => bench.load({ ...probe, ...together }),
    })
    const [loaded, refusals] = await Promise.all([
      bench.load({ ...probe, ...together }),
      bench.load({ ...refused, ...together }),
    ])
    return { ...steps, loaded, refusals } as Record<Step, (typeof steps)[string]>
  })
  const of = (pick: (round: (typeof rounds.kept)[number]) => number) => medianOf(rounds.kept, pick)
  const notRefused = rounds.kept.flatMap(({ refusals }) =>
    Object.keys(refusals.answers).filter((status) => status !== '429'),
  )
  if (notRefused.length > 0) throw new Error(`refused logins were answered ${notRefused.join(' ')}`)
  const latency = (step: 'unloaded' | 'loaded') =>
    pair(
      of((round) => round[step].p50),
      of((round) => round[step].p99),
    )
  return {
    title: 'Limits',
    text: 'With `RATE_LIMIT` on and off; the clients’ addresses come from `X-Forwarded-For`. The cost of limits per login is measured with a cheap hash; beside a normal one it would not show. A refused login is for a user whose password was guessed too often from its network. The last two rows are `GET /users/me` 200 times a second, alone and while 64 connections send refused logins without a pause.',
    table: [
      ['', 'off', 'on'],
      [
        '`GET /users/me`, 64 connections: server CPU µs/request',
        figure(of(({ meOff }) => meOff.cpuMicros)),
        figure(of(({ meOn }) => meOn.cpuMicros)),
      ],
      [
        'server CPU µs of a login at bcrypt cost 4, one after the other',
        figure(of((round) => round.cheapOff.cpuMicros)),
        figure(of((round) => round.cheapOn.cpuMicros)),
      ],
      ['server CPU µs of a login at bcrypt cost 10', figure(of(({ login }) => login.cpuMicros)), '–'],
      ['server CPU µs of a refused login', '–', figure(of(({ refusals }) => refusals.cpuMicros))],
      ['`GET /users/me` unloaded: p50 / p99 ms', '–', latency('unloaded')],
      ['`GET /users/me` beside refused logins: p50 / p99 ms', '–', latency('loaded')],
    ],
    gates: [
      {
        what: '`GET /users/me`: CPU per request, relative to that without limits',
        value: of(({ meOn, meOff }) => meOn.cpuMicros / meOff.cpuMicros),
        atMost: 1.05,
      },
      {
        what: 'CPU that limits add to a login, relative to a login at cost 10',
        value: of((round) => (round.cheapOn.cpuMicros - round.cheapOff.cpuMicros) / round.login.cpuMicros),
        atMost: 0.01,
        unit: 'percent',
      },
      {
        what: 'CPU of a refused login, relative to an accepted one',
        value: of(({ refusals, login }) => refusals.cpuMicros / login.cpuMicros),
        atMost: 0.01,
        unit: 'percent',
      },
      {
        what: '`GET /users/me` beside refused logins: p99, relative to unloaded',
        value: of(({ loaded, unloaded }) => loaded.p99 / unloaded.p99),
        atMost: 3,
      },
    ],
    notes: [
      `While the refused were measured ${figure(
        of(({ refusals }) => (refusals.answers['429'] ?? 0) / refusals.seconds),
      )} logins a second were refused.`,
    ],
    rounds,
  }
}

type Step = 'meOff' | 'meOn' | 'login' | 'cheapOff' | 'cheapOn' | 'unloaded' | 'loaded' | 'refusals'

interface Prepared {
  server: Server
  reads: string[]
}

async function prepared(limit: 'on' | 'off', settings: Record<string, string> = {}): Promise<Prepared> {
  const server = await startKeyward({ RATE_LIMIT: limit, TRUSTED_PROXIES: '127.0.0.1', ...settings })
  const tokens = await signUpAll(server.port, USERS)
  return { server, reads: tokens.map(({ access_token }) => readSelf(access_token)) }
}

/** The network of the owners; documentation addresses (RFC 5737). */
const home = (index: number): string => `198.51.100.${index + 1}`

/** Guesses the accounts of the other half from one network until each is refused; returns such guesses. */
async function exhaust({ port }: Server): Promise<string[]> {
  const body = (username: string) => new URLSearchParams({ username, password: 'a wrong guess' })
  const headers = { 'x-forwarded-for': '203.0.113.9' }
  for (const username of USERS.slice(0, 8)) {
    let status = 0
    for (let tries = 0; tries < 50 && status !== 429; tries++)
      ({ status } = await fetch(`http://127.0.0.1:${port}/token`, { method: 'POST', headers, body: body(username) }))
    if (status !== 429) throw new Error(`guesses at ${username} are answered ${status}`)
  }
  return USERS.slice(0, 8).map((username) => logIn(username, { from: '203.0.113.9', password: 'a wrong guess' }))
}
