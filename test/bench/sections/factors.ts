import { type Bench, medianOf } from '../bench.ts'
import { passkeySignIns, startWith, totpAnswers } from '../factors.ts'
import type { Reading } from '../plan.ts'
import { type Findings, figure, pair } from '../report.ts'
import { logIn, names, readSelf } from '../requests.ts'

const LOGINS = 64
/** Passkey sign-ins per second, each measured from its due time. */
const RATE = 50
/** Users with an authenticator app: each answers once per round, because a code works once. */
const APPS = 900
const ANSWERS_PER_SECOND = 150

export async function factors(bench: Bench): Promise<Findings> {
  const floodedUsers = names('user', 16)
  const { users, ...server } = await startWith('passkey', names('key', 33))
  const passkeys = { ...server, users: users.slice(1) }
  const flood = floodedUsers.map((name) => logIn(name))
  for (const username of [...floodedUsers, 'reader'])
    await fetch(`http://127.0.0.1:${passkeys.port}/register`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ email: `${username}@example.com`, username, password: 'correct horse battery' }),
    })
  // At this cost a login takes two milliseconds, so that many can wait for their codes at once.
  const apps = await startWith('totp', names('app', APPS), { BCRYPT_COST: '4' })
  // Users of their own: MAX_SESSIONS_PER_USER ends the older sessions of the others.
  const reader = (await signedIn(server.port, await passkeySignIns({ ...server, users: users.slice(0, 1) }, 1)))
    .access_token
  const plain = (await signedIn(server.port, [logIn('reader')])).access_token

  const signIns = async (warmupMs: number, durationMs: number): Promise<Reading> => {
    const requests = await passkeySignIns(passkeys, Math.ceil(((warmupMs + durationMs) / 1_000) * RATE) + RATE)
    return bench.load({ ...passkeys, connections: 16, requests, once: true, rate: RATE, warmupMs, durationMs })
  }
  const read = (token: string) =>
    bench.load({
      ...passkeys,
      connections: 64,
      requests: [readSelf(token)],
      warmupMs: 300,
      durationMs: bench.long ? 4_000 : 1_500,
    })
  await signIns(500, 1_500)
  await read(plain)

  const rounds = await bench.rounds(3, async () => {
    const long = bench.long ? 10_000 : 4_000
    const unloaded = await signIns(500, long)
    const [loaded, logins] = await Promise.all([
      signIns(2_500, long),
      bench.load({ ...passkeys, connections: LOGINS, requests: flood, warmupMs: 2_500, durationMs: long }),
    ])
    const requests = await totpAnswers(apps)
    return {
      unloaded,
      loaded,
      logins,
      otp: await bench.load({
        ...apps,
        connections: 16,
        requests,
        once: true,
        rate: ANSWERS_PER_SECOND,
        warmupMs: 1_000,
        durationMs: 4_000,
      }),
      aal1: await read(plain),
      phr: await read(reader),
    }
  })
  const of = (pick: (round: (typeof rounds.kept)[number]) => number) => medianOf(rounds.kept, pick)
  for (const { logins: _, ...round } of rounds.kept)
    for (const [what, { answers }] of Object.entries(round))
      if (Object.keys(answers).some((status) => status !== '200'))
        throw new Error(`${what}: there were the answers ${JSON.stringify(answers)}`)
  const row = (title: string, pick: (round: (typeof rounds.kept)[number]) => Reading) => [
    title,
    figure(of((round) => pick(round).perSecond)),
    figure(of((round) => pick(round).cpuMicros)),
    pair(
      of((round) => pick(round).p50),
      of((round) => pick(round).p99),
    ),
  ]
  return {
    title: 'Second factors',
    text: `Sign-ins with a passkey ${RATE} times a second, each measured from its due time, alone and while ${LOGINS} clients of another process log in with passwords without a pause. Answers with the code of an authenticator app (\`POST /token/mfa\`) ${ANSWERS_PER_SECOND} times a second; the password was checked before. Each sign-in begins a session in SQLite.`,
    table: [
      ['', 'per second', 'server CPU µs each', 'p50 / p99 ms'],
      row('passkey, alone', ({ unloaded }) => unloaded),
      [
        `passkey, beside ${LOGINS} password logins`,
        figure(of(({ loaded }) => loaded.perSecond)),
        '–',
        pair(
          of(({ loaded }) => loaded.p50),
          of(({ loaded }) => loaded.p99),
        ),
      ],
      row('code of an authenticator app', ({ otp }) => otp),
      row('`GET /users/me` after a password', ({ aal1 }) => aal1),
      row('`GET /users/me` after a passkey', ({ phr }) => phr),
    ],
    gates: [
      {
        what: 'passkey sign-in under the flood: p99, relative to alone, or in milliseconds',
        value: of(({ loaded, unloaded }) => loaded.p99 / unloaded.p99),
        atMost: 2,
        or: { what: '', value: of(({ loaded }) => loaded.p99), atMost: 10, unit: 'ms' },
      },
      {
        what: 'code of an authenticator app: CPU beside that of the password’s hash',
        value: of(({ otp }) => otp.cpuMicros / 1_000),
        atMost: 1,
        unit: 'ms',
      },
      {
        what: '`GET /users/me` after a passkey: CPU, relative to after a password',
        value: of(({ phr, aal1 }) => phr.cpuMicros / aal1.cpuMicros),
        atMost: 1.1,
      },
    ],
    notes: [
      `Meanwhile ${figure(of(({ logins }) => logins.perSecond))} passwords a second were checked. \`GET /users/me\` has its own gates above.`,
    ],
    rounds,
  }
}

/** Sends one request, and returns the tokens of its answer. */
async function signedIn(port: number, [request]: string[]): Promise<{ access_token: string }> {
  const [head = '', body = ''] = Buffer.from(request!, 'base64').toString().split('\r\n\r\n')
  const [line = '', ...lines] = head.split('\r\n')
  const headers = Object.fromEntries(lines.map((one) => one.split(': ') as [string, string]))
  const answer = await fetch(`http://127.0.0.1:${port}${line.split(' ')[1]}`, { method: 'POST', headers, body })
  if (!answer.ok) throw new Error(`${line}: ${answer.status} ${await answer.text()}`)
  return (await answer.json()) as { access_token: string }
}
