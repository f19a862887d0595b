import { binaryPath } from '../../support/binary.ts'
import { startPostgres } from '../../support/postgres.ts'
import { BEFORE, binaryBefore } from '../before.ts'
import { type Bench, inTurn, median, medianOf } from '../bench.ts'
import { filled } from '../fill.ts'
import { type OpenIdSide, startKeywardProvider, startOidcProvider } from '../openid.ts'
import type { Reading } from '../plan.ts'
import { type Findings, figure, pair } from '../report.ts'
import { names, rawRequest, readSelf, signUpAll } from '../requests.ts'
import { freshCopy, keywardSettings } from '../servers.ts'
import { NO_PROBE, startOnce } from './start.ts'

const IN_FLIGHT = 16
const READERS = 64
const WARM_UP_MS = 300

export async function openid(bench: Bench): Promise<Findings> {
  const built = await binaryBefore()
  const before = built && freshCopy(built)
  const now = freshCopy(await binaryPath())
  const server = await startPostgres()
  const { url } = await server.createDatabase()
  const path = await filled({ users: 10_000, sessions: 1 })
  const sides: Record<Side, OpenIdSide> = {
    [PEER]: await startOidcProvider(),
    [SQLITE]: await startKeywardProvider({ DATABASE_URL: `sqlite:///${path}` }),
    [POSTGRES]: await startKeywardProvider({ DATABASE_URL: url }),
    [PEER_ES256]: await startOidcProvider('ES256'),
    [SQLITE_ES256]: await startKeywardProvider(
      { DATABASE_URL: `sqlite:///${await filled({ users: 10_000, sessions: 1 })}` },
      'ES256',
    ),
  }
  const keyward = sides[SQLITE]
  const own = await signUpAll(keyward.server.port, names('reader', READERS / 2))
  const ofClients = await keyward.tokensOf(await keyward.makeCodes(READERS / 2))
  const reads = {
    me: own.map(({ access_token }) => readSelf(access_token)),
    userinfo: ofClients.map(({ access_token }) => readUserInfo(access_token)),
  }
  const signInPage = await readSignIn(keyward.server.port)

  const durationMs = bench.long ? 4_000 : 1_500
  /** Codes are used once, so each load gets twice as many as the fastest one before has used. */
  const rates: Partial<Record<Side, number>> = {}
  const load = async (name: Side, grant: Grant, duration = durationMs): Promise<Reading> => {
    const side = sides[name]
    const plan = { ...side.server, connections: IN_FLIGHT, warmupMs: WARM_UP_MS, durationMs: duration }
    if (grant === 'client_credentials') return bench.load({ ...plan, requests: [side.clientCredentials] })
    if (grant === 'refresh_token') {
      const tokens = await side.tokensOf(await side.makeCodes(IN_FLIGHT))
      const requests = tokens.map(({ refresh_token }) => side.refresh(refresh_token))
      return bench.load({ ...plan, requests, chain: 'refresh_token' })
    }
    const seconds = (WARM_UP_MS + duration) / 1_000
    const codes = await side.makeCodes(
      Math.ceil(Math.min(Math.max((rates[name] ?? FASTEST) * 2, FEWEST), FASTEST) * seconds),
    )
    const reading = await bench.load({ ...plan, requests: codes.map(side.exchange), once: true })
    rates[name] = Math.max(rates[name] ?? 0, reading.perSecond)
    return reading
  }
  const read = (requests: string[]) =>
    bench.load({ ...keyward.server, connections: READERS, requests, warmupMs: WARM_UP_MS, durationMs })
  /** Reads both twice, in an order in which a drift of the machine's speed counts for both alike. */
  const readBoth = async () => {
    const me = [await read(reads.me)]
    const userinfo = [await read(reads.userinfo), await read(reads.userinfo)]
    me.push(await read(reads.me))
    return { me, userinfo }
  }
  const signIn = () =>
    bench.load({
      ...keyward.server,
      connections: IN_FLIGHT,
      requests: [signInPage],
      rate: 200,
      warmupMs: WARM_UP_MS,
      durationMs,
    })
  const start = (executable: string, path?: string) =>
    startOnce([executable, 'serve'], keywardSettings({ JWT_ALG: 'ES256' }), path)
  const starts = async () => ({
    now: await start(now),
    before: before === undefined ? undefined : await start(before),
    nowOther: await start(now, NO_PROBE),
    beforeOther: before === undefined ? undefined : await start(before, NO_PROBE),
  })

  for (const grant of GRANTS) for (const name of sidesOf(grant)) await load(name, grant, 1_000)
  for (const requests of Object.values(reads)) await read(requests)
  await signIn()
  const rounds = await bench.rounds(3, async () => {
    const grants = {} as Record<Grant, Record<string, Reading>>
    for (const grant of GRANTS)
      grants[grant] = await inTurn(Object.fromEntries(sidesOf(grant).map((name) => [name, () => load(name, grant)])))
    return {
      grants,
      reads: await readBoth(),
      signIn: await signIn(),
      starts: await bench.observe(async () => [await starts(), await starts()]),
    }
  })
  const of = (pick: (round: (typeof rounds.kept)[number]) => number) => medianOf(rounds.kept, pick)
  const refused = rounds.kept.flatMap(({ grants, reads: { me, userinfo }, signIn }) =>
    [...Object.values(grants).flatMap((sides) => Object.values(sides)), ...me, ...userinfo, signIn].flatMap(
      ({ answers }) => Object.keys(answers).filter((answer) => answer !== '200'),
    ),
  )
  if (refused.length > 0) throw new Error(`there were the answers ${[...new Set(refused)].join(' ')}`)
  const startOf = (which: 'now' | 'before' | 'nowOther' | 'beforeOther', what: 'ms' | 'residentMiB') =>
    of(({ starts }) => median(starts.map((start) => start[which]?.[what] ?? Number.NaN)))
  const startRatio = (what: 'ms' | 'residentMiB') =>
    of(({ starts }) => median(starts.map(({ now, before }) => now[what] / (before?.[what] ?? Number.NaN))))
  const otherStartRatio = of(({ starts }) =>
    median(starts.map(({ nowOther, beforeOther }) => nowOther.ms / (beforeOther?.ms ?? Number.NaN))),
  )
  return {
    title: 'OpenID provider',
    text: `\`POST /token\` on ${IN_FLIGHT} connections, beside \`oidc-provider\` on Bun with a \`Map\` as its storage, because its own in-memory storage keeps at most 1,000 entries. Both sign the same: access tokens as JWTs with ES256, ID tokens with RS256 (or, to show what is not RSA, ES256) at every exchange and refresh; both rotate refresh tokens, and authenticate the client by Basic. Keyward writes each session to SQLite or to an embedded PostgreSQL 18 on this machine.`,
    table: [
      ['', 'per second', 'server CPU µs each', 'p50 / p99 ms'],
      ...GRANTS.flatMap((grant) =>
        sidesOf(grant).map((name) => rowOf(`\`${grant}\`: ${name}`, (round) => round.grants[grant][name]!)),
      ),
      rowOf('`GET /users/me`, 64 connections', ({ reads }) => reads.me[0]!),
      rowOf('`GET /userinfo`, 64 connections', ({ reads }) => reads.userinfo[0]!),
      rowOf('`GET /sign-in`, 200 times a second', (round) => round.signIn),
    ],
    gates: [
      ...GRANTS.flatMap((grant) =>
        ([SQLITE, POSTGRES] as const).map((name) => ({
          what: `\`${grant}\`, ${name}: per second, relative to oidc-provider`,
          value: of(({ grants }) => grants[grant][name]!.perSecond / grants[grant][PEER]!.perSecond),
          atLeast: 1.5,
        })),
      ),
      ...WITH_ID_TOKEN.map((grant) => ({
        what: `\`${grant}\`, ${SQLITE_ES256}: per second, relative to ${PEER_ES256}`,
        value: of(({ grants }) => grants[grant][SQLITE_ES256]!.perSecond / grants[grant][PEER_ES256]!.perSecond),
      })),
      {
        what: '`GET /userinfo`: CPU per request, relative to `GET /users/me`',
        value: of(({ reads: { me, userinfo } }) => cpuOf(userinfo) / cpuOf(me)),
        atMost: 1.1,
      },
      { what: '`GET /sign-in` at 10,000 users: p99', value: of((round) => round.signIn.p99), atMost: 10, unit: 'ms' },
      ...(before === undefined
        ? []
        : [
            { what: `start to first answer, relative to ${BEFORE}`, value: startRatio('ms'), atMost: 1.1 },
            {
              what: `start to first answer of a route that is no probe, relative to ${BEFORE}`,
              value: otherStartRatio,
              atMost: 1.1,
            },
            { what: `idle memory, relative to ${BEFORE}`, value: startRatio('residentMiB'), atMost: 1.1 },
          ]),
    ],
    notes: [
      before === undefined
        ? `Start and memory were not compared with ${BEFORE}, the last commit before the provider, because it is not in this clone.`
        : `A start with a new file takes ${figure(startOf('now', 'ms'))} ms, at ${BEFORE}, the last commit before the provider, ${figure(startOf('before', 'ms'))} ms; to the first answer of \`${NO_PROBE}\` ${figure(startOf('nowOther', 'ms'))} and ${figure(startOf('beforeOther', 'ms'))} ms. A second after the first start ${figure(startOf('now', 'residentMiB'))} MiB are resident, then ${figure(startOf('before', 'residentMiB'))} MiB.`,
    ],
    rounds,
  }

  function rowOf(what: string, reading: (round: (typeof rounds.kept)[number]) => Reading): string[] {
    const value = (name: 'perSecond' | 'cpuMicros' | 'p50' | 'p99') => of((round) => reading(round)[name])
    return [what, figure(value('perSecond')), figure(value('cpuMicros')), pair(value('p50'), value('p99'))]
  }
}

const PEER = 'oidc-provider'
const SQLITE = 'Keyward, SQLite'
const POSTGRES = 'Keyward, PostgreSQL'
/** A signature of RSA takes most of the time of an exchange and of a refresh on both sides. These show the rest. */
const PEER_ES256 = 'oidc-provider, ID tokens with ES256'
const SQLITE_ES256 = 'Keyward, SQLite, ID tokens with ES256'
type Side = typeof PEER | typeof SQLITE | typeof POSTGRES | typeof PEER_ES256 | typeof SQLITE_ES256

const GRANTS = ['client_credentials', 'authorization_code', 'refresh_token'] as const
type Grant = (typeof GRANTS)[number]
const WITH_ID_TOKEN = ['authorization_code', 'refresh_token'] as const

const sidesOf = (grant: Grant): readonly Side[] => [
  PEER,
  SQLITE,
  POSTGRES,
  ...(grant === 'client_credentials' ? [] : ([PEER_ES256, SQLITE_ES256] as const)),
]

const cpuOf = (readings: readonly Reading[]): number => readings.reduce((sum, { cpuMicros }) => sum + cpuMicros, 0)

/** Exchanges a second that a load is prepared for, however slow the one before was. */
const FEWEST = 2_500
/** More exchanges a second than any side does. */
const FASTEST = 6_000

const readUserInfo = (token: string): string =>
  rawRequest('GET', '/userinfo', { authorization: `Bearer ${token}`, accept: 'application/json' })

/** The page of a browser that was there before: the first visit leads to it, with a cookie. */
async function readSignIn(port: number): Promise<string> {
  const { headers } = await fetch(`http://127.0.0.1:${port}/sign-in`, { redirect: 'manual' })
  const cookie = headers.getSetCookie().map((line) => line.split(';', 1)[0])
  const { pathname, search } = new URL(headers.get('location') ?? '/sign-in', 'http://localhost')
  return rawRequest('GET', pathname + search, {
    accept: 'text/html',
    ...(cookie.length > 0 && { cookie: cookie.join('; ') }),
  })
}
