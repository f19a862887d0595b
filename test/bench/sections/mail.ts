import { Database } from 'bun:sqlite'
import { join } from 'node:path'
import { SQL } from 'bun'
import { startPostgres } from '../../support/postgres.ts'
import { scratchFolder } from '../../support/scratch.ts'
import { type Bench, median, medianOf } from '../bench.ts'
import type { Reading } from '../plan.ts'
import { cpuSeconds, residentMiB } from '../proc.ts'
import { type Findings, figure, pair } from '../report.ts'
import { names, readSelf, signUpAll } from '../requests.ts'
import { freePort, type Server, startKeyward, startTarget } from '../servers.ts'

const MAILS = 10_000
/** Mails with a link, which each need a transaction of their own before they are sent. */
const LINKS = 2_000
const USERS = names('user', 32)
const ASKED = 1_000

interface Place {
  server: Server
  sink: Server
  reads: string[]
  /** Queues mails of this kind in one transaction, as if they had waited. */
  queue(kind: string, count: number): Promise<void>
}

/** The row of mail `n` of a filling, in both databases. */
const insert = (numbers: string) => `
  INSERT INTO mails (id, kind, user_id, recipient, locale, details, state, attempts, due_at, created_at) ${numbers}
  SELECT $1 || n, $2, CASE WHEN $2 = 'reset_password' THEN NULL ELSE 1 + n % ${USERS.length} END,
    'user' || substr('000' || (n % ${USERS.length}), length('000' || (n % ${USERS.length})) - 3) || '@example.com', 'en',
    '{"username":"ada","time":"1 January 2026 at 00:00 (UTC)","ip":"192.0.2.1"}', 'queued', 0, 0, 0 FROM numbers`

let fillings = 0

async function prepare(databaseUrl: string, queue: Place['queue']): Promise<Place> {
  const smtpPort = await freePort()
  const sink = await startTarget('smtp-sink.ts', { SMTP_PORT: String(smtpPort) })
  const server = await startKeyward({
    DATABASE_URL: databaseUrl,
    SMTP_URL: `smtp://127.0.0.1:${smtpPort}?tls=none`,
    MAIL_FROM: 'Example <no-reply@example.com>',
  })
  const tokens = await signUpAll(server.port, USERS)
  return { server, sink, queue, reads: tokens.map(({ access_token }) => readSelf(access_token)) }
}

async function onSqlite(): Promise<Place> {
  const path = join(scratchFolder('bench-db'), 'keyward.db')
  return prepare(`sqlite:///${path}`, async (kind, count) => {
    using db = new Database(path)
    db.run('PRAGMA busy_timeout = 10000')
    const numbers = `WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < ${count})`
    db.run(insert(numbers).replaceAll('$1', '?1').replaceAll('$2', '?2'), [`filling-${++fillings}-`, kind])
  })
}

async function onPostgres(): Promise<Place> {
  const { url } = await (await startPostgres()).createDatabase()
  return prepare(url, async (kind, count) => {
    await using db = new SQL(url, { max: 1 })
    const numbers = `WITH numbers AS (SELECT n FROM generate_series(1, ${count}) AS n)`
    await db.unsafe(insert(numbers).replaceAll('$1', '$1::text').replaceAll('$2', '$2::text'), [
      `filling-${++fillings}-`,
      kind,
    ])
  })
}

interface Sent {
  perSecond: number
  /** CPU time of the server for one mail, in milliseconds, with that of `GET /users/me` meanwhile. */
  cpuMillis: number
  /** Resident memory at the end, relative to that after a fifth of the mails. */
  growth: number
  /** `GET /users/me` meanwhile; undefined for mails that are too few. */
  reads: Reading | undefined
}

/** Queues mails and waits until the sink has them all. */
async function sendAll(
  bench: Bench,
  { server, sink, reads, queue }: Place,
  kind: string,
  count: number,
  probes = false,
) {
  await ask(sink, '/reset')
  await queue(kind, count)
  const cpuBefore = cpuSeconds(server.pid)
  while ((await ask(sink)).count === 0) await Bun.sleep(5)
  const probed = probes ? bench.load(probeOf({ server, reads })) : undefined
  const until = async (mails: number) => {
    while ((await ask(sink)).count < mails) await Bun.sleep(20)
    return residentMiB(server.pid)
  }
  const early = await until(count / 5)
  const late = await until(count)
  const cpuMillis = ((cpuSeconds(server.pid) - cpuBefore) * 1_000) / count
  const reading = await probed
  const { first, last } = await ask(sink)
  return {
    perSecond: ((count - 1) * 1_000) / (last - first),
    cpuMillis,
    growth: late / early,
    reads: reading,
  } satisfies Sent
}

const ask = async ({ port }: Server, path = '/') =>
  (await (await fetch(`http://127.0.0.1:${port}${path}`)).json()) as { count: number; first: number; last: number }

const probeOf = ({ server, reads }: Pick<Place, 'server' | 'reads'>) => ({
  ...server,
  connections: 16,
  requests: reads,
  rate: 200,
  warmupMs: 500,
  durationMs: 4_000,
})

/** The median time of `POST /password/forgot` for addresses with and without an account, in milliseconds. */
async function askForLinks({ server }: Place): Promise<{ known: number; unknown: number }> {
  const taken = { known: [] as number[], unknown: [] as number[] }
  const addresses = { known: USERS, unknown: names('none', USERS.length) }
  const kinds = ['known', 'unknown'] as const
  for (let at = -10; at < ASKED; at++)
    // Forwards and backwards, so that the order has no effect.
    for (const kind of at % 2 ? kinds : kinds.toReversed()) {
      const email = `${addresses[kind][Math.abs(at) % USERS.length]}@example.com`
      const started = performance.now()
      const answer = await fetch(`http://127.0.0.1:${server.port}/password/forgot`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ email }),
      })
      await answer.text()
      if (answer.status !== 202) throw new Error(`/password/forgot: ${answer.status}`)
      if (at >= 0) taken[kind].push(performance.now() - started)
    }
  return { known: median(taken.known), unknown: median(taken.unknown) }
}

export async function mail(bench: Bench): Promise<Findings> {
  const places = { SQLite: await onSqlite(), PostgreSQL: await onPostgres() }
  const kinds = Object.keys(places) as (keyof typeof places)[]
  const measure = (place: Place) => async () => {
    const unloaded = await bench.load(probeOf(place))
    const notices = await bench.observe(() => sendAll(bench, place, 'password_changed', MAILS, true))
    const links = await bench.observe(() => sendAll(bench, place, 'reset_password', LINKS))
    return { unloaded, notices, links, forgot: await bench.observe(() => askForLinks(place)) }
  }
  for (const place of Object.values(places)) {
    await bench.load(probeOf(place))
    await sendAll(bench, place, 'password_changed', 4_000)
  }
  const rounds = await bench.rounds(1, async () => ({
    SQLite: await measure(places.SQLite)(),
    PostgreSQL: await measure(places.PostgreSQL)(),
  }))
  type Round = (typeof rounds.kept)[number]['SQLite']
  const of = (kind: keyof typeof places, pick: (round: Round) => number) =>
    medianOf(rounds.kept, (round) => pick(round[kind]))
  const readsOf = (kind: keyof typeof places, pick: (reading: Reading) => number) =>
    of(kind, ({ notices }) => pick(notices.reads!))
  const row = (what: string, cell: (kind: keyof typeof places) => string) => [what, ...kinds.map(cell)]
  return {
    title: 'Mail',
    text: `${MAILS.toLocaleString('en')} mails that wait are sent to a mail server on the same machine; then ${LINKS.toLocaleString('en')} with a link, for which Keyward first finds the user and stores a proof. \`GET /users/me\` 200 times a second, alone and while the ${MAILS.toLocaleString('en')} mails are sent. \`POST /password/forgot\` ${ASKED} times each for addresses with and without an account, in turn.`,
    table: [
      ['', ...kinds],
      row('mails per second', (kind) => figure(of(kind, ({ notices }) => notices.perSecond))),
      row('mails with a link per second', (kind) => figure(of(kind, ({ links }) => links.perSecond))),
      row('server CPU ms of a mail', (kind) => figure(of(kind, ({ notices }) => notices.cpuMillis))),
      row('server CPU ms of a mail with a link', (kind) => figure(of(kind, ({ links }) => links.cpuMillis))),
      row('resident memory at the end, relative to that after 2,000 mails', (kind) =>
        figure(of(kind, ({ notices }) => notices.growth)),
      ),
      row('`GET /users/me` unloaded: p50 / p99 ms', (kind) =>
        pair(
          of(kind, ({ unloaded }) => unloaded.p50),
          of(kind, ({ unloaded }) => unloaded.p99),
        ),
      ),
      row('`GET /users/me` beside mails: p50 / p99 ms', (kind) =>
        pair(
          readsOf(kind, ({ p50 }) => p50),
          readsOf(kind, ({ p99 }) => p99),
        ),
      ),
      row('`POST /password/forgot`, an account: median ms', (kind) => figure(of(kind, ({ forgot }) => forgot.known))),
      row('`POST /password/forgot`, nobody: median ms', (kind) => figure(of(kind, ({ forgot }) => forgot.unknown))),
    ],
    gates: kinds.flatMap((kind) => [
      { what: `${kind}: mails per second`, value: of(kind, ({ notices }) => notices.perSecond), atLeast: 200 },
      { what: `${kind}: mails with a link per second`, value: of(kind, ({ links }) => links.perSecond), atLeast: 200 },
      { what: `${kind}: resident memory, relative`, value: of(kind, ({ notices }) => notices.growth), atMost: 1.2 },
      {
        what: `${kind}: \`GET /users/me\` beside mails, p99, relative to unloaded`,
        value: of(kind, ({ notices, unloaded }) => notices.reads!.p99 / unloaded.p99),
        atMost: 2,
        or: {
          what: 'p99',
          value: readsOf(kind, ({ p99 }) => p99),
          atMost: 5,
          unit: 'ms' as const,
        },
      },
      {
        what: `${kind}: \`POST /password/forgot\`, difference of the medians`,
        value: of(kind, ({ forgot }) => Math.abs(forgot.unknown / forgot.known - 1)),
        atMost: 0.05,
        unit: 'percent' as const,
      },
    ]),
    rounds,
  }
}
