import { expect, setDefaultTimeout, test } from 'bun:test'
import { randomInt } from 'node:crypto'
import { openUrl } from '../storage/support.ts'
import { type RunningBinary, startBinary } from '../support/binary.ts'
import { inspectDatabase } from '../support/consistency.ts'
import { type Dialect, describeEachDialect } from '../support/dialects.ts'
import { isCut } from '../support/honest-client.ts'
import { seededRandom } from '../support/random.ts'
import { expectCleanLog } from '../support/server-log.ts'
import { type Received, type SmtpSink, startSmtp } from '../support/smtp.ts'

/** How often the server is killed, per database. `bun run torture` sets 1,000. */
const ROUNDS = Number(process.env.KEYWARD_TORTURE_ROUNDS ?? 6)
/** Decides the moments of the kills and how fast the mail server answers; timing decides where a kill hits. */
const SEED = process.env.KEYWARD_TORTURE_SEED ?? (process.env.KEYWARD_TORTURE_ROUNDS ? String(randomInt(1e9)) : 'mails')
/** Kills per database, so that checking it does not take most of the time. */
const EPISODE = 50
const CLIENTS = 4

describeEachDialect('kill -9 while mails are queued and sent', (dialect) => {
  setDefaultTimeout(60_000 + ROUNDS * 10_000)

  test('13.1 no mail is lost, and only a mail whose acceptance was not noted is sent again, as the same mail', async () => {
    const total = { mails: 0, between: 0, waiting: 0 }
    for (let round = 0; round < ROUNDS; round += EPISODE) {
      const seed = `${SEED} ${dialect.name} ${round}`
      try {
        const { mails, between, waiting } = await episode(dialect, { seed, rounds: Math.min(EPISODE, ROUNDS - round) })
        total.mails += mails
        total.between += between
        total.waiting += waiting
      } catch (error) {
        throw new Error(`with KEYWARD_TORTURE_SEED=${SEED}, in rounds ${round} to ${round + EPISODE}`, { cause: error })
      }
      if (ROUNDS > EPISODE)
        process.stderr.write(`${dialect.name}: ${round + EPISODE} kills, ${JSON.stringify(total)}\n`)
    }
    // If no mail waited at a kill, nothing was tested.
    expect(total.waiting).toBeGreaterThan(ROUNDS)
  })
})

/** Kills the server of one database repeatedly while clients cause mails, and then lets it send the rest. */
async function episode(dialect: Dialect, { seed, rounds }: { seed: string; rounds: number }) {
  const { url: databaseUrl, dispose } = await dialect.databaseUrl()
  const database = inspectDatabase(databaseUrl)
  const random = seededRandom(seed)
  let onAccepted = () => {}
  const sink = await startSmtp({
    async at(stage) {
      if (stage !== 'after data') return undefined
      await Bun.sleep(random.fraction() * 8)
      onAccepted()
      return undefined
    },
  })
  const env = { SMTP_URL: `smtp://127.0.0.1:${sink.port}?tls=none`, MAIL_FROM: 'no-reply@example.com' }
  const promised: Promised = { changes: new Map(), resets: new Set() }
  /** How often each mail may have been accepted: once more for each kill between acceptance and note. */
  const mayArrive = new Map<string, number>()
  let [between, waiting, accounts] = [0, 0, 0]
  try {
    for (let round = 0; round < rounds; round++) {
      const keyward = await startBinary({ databaseUrl, env })
      try {
        const last = 1 + Math.floor(random.fraction() * 40)
        const delay = random.fraction() * 12
        let accepted = 0
        onAccepted = () => {
          if (++accepted === last) Bun.sleep(delay).then(() => keyward.signal('SIGKILL'))
        }
        await Promise.all(
          Array.from({ length: CLIENTS }, () => causeMails(keyward, promised, () => `user${++accounts}`)),
        )
        onAccepted = () => {}
        expect(await keyward.exited).toBe(128 + 9)
        expectCleanLog(keyward.output())
      } finally {
        await keyward.stop()
      }
      // The mail server may have the whole mail of a client that has died.
      await sink.idle()
      await database.untilAbandoned()
      const arrived = countsOf(sink)
      for (const { id, state } of await mailsOf(databaseUrl)) {
        if (state === 'queued') waiting++
        if (state !== 'queued' || !arrived.has(id)) continue
        between++
        mayArrive.set(id, arrived.get(id)! + 1)
      }
      // A mail that the killed process had claimed is due when its lease ends. This test does not wait for that.
      await change(databaseUrl, `UPDATE mails SET due_at = 0 WHERE state = 'queued'`)
    }
    const keyward = await startBinary({ databaseUrl, env })
    try {
      await database.expectConsistent()
      while ((await mailsOf(databaseUrl)).some(({ state }) => state === 'queued')) await Bun.sleep(20)
      await expectAll(databaseUrl, promised, sink, mayArrive)
      keyward.signal('SIGTERM')
      expect(await keyward.exited).toBe(0)
      expectCleanLog(keyward.output())
    } finally {
      await keyward.stop()
    }
    return { mails: sink.received.length, between, waiting }
  } finally {
    await sink.close()
    await database.close()
    await dispose()
  }
}

/** What the server has answered. */
interface Promised {
  /** Changes of the password that were answered, by username. */
  changes: Map<string, number>
  /** Users who were told that a link to choose a new password is on its way. */
  resets: Set<string>
}

/** Registers users until the server is killed; each changes the password, and then forgets it. */
async function causeMails(keyward: RunningBinary, { changes, resets }: Promised, nextName: () => string) {
  const ask = async (status: number, ...request: Parameters<RunningBinary['request']>) => {
    const answer = await keyward.request(...request)
    const text = await answer.text()
    expect([request[1], answer.status, text]).toEqual([request[1], status, expect.anything()])
    return text
  }
  try {
    for (;;) {
      const username = nextName()
      const email = `${username}@example.com`
      let password = `${username} secret 0`
      await ask(201, 'POST', '/register', { json: { email, username, password } })
      const grant = await ask(200, 'POST', '/token', { form: { username, password } })
      const { access_token: token } = JSON.parse(grant) as { access_token: string }
      for (let count = 1; count <= 3; count++) {
        const json = { current_password: password, new_password: `${username} secret ${count}` }
        await ask(204, 'PUT', '/users/me/password', { token, json })
        password = json.new_password
        changes.set(username, count)
      }
      await ask(202, 'POST', '/password/forgot', { json: { email } })
      resets.add(username)
    }
  } catch (error) {
    if (!isCut(error)) throw error
  }
}

async function expectAll(databaseUrl: string, promised: Promised, sink: SmtpSink, mayArrive: Map<string, number>) {
  const mails = await mailsOf(databaseUrl)
  // Everything was sent, and nothing was given up.
  expect(mails.filter(({ state, sealed }) => state !== 'sent' || sealed)).toEqual([])
  const arrived = Map.groupBy(sink.received, idOf)
  expect([...arrived.keys()].sort()).toEqual(mails.map(({ id }) => id).sort())
  // More than once only after a kill between acceptance and note, and then with the same text, link and code.
  for (const [id, copies] of arrived) {
    expect([id, copies.length <= (mayArrive.get(id) ?? 1)]).toEqual([id, true])
    expect(new Set(copies.map(({ message }) => message.text)).size).toBe(1)
  }
  const count = (kind: string, username: string) =>
    mails.filter((mail) => mail.kind === kind && mail.recipient === `${username}@example.com`).length
  // One mail for each change that was made: also for the one change whose answer the kill cut off.
  for (const [username, made] of await changesOf(databaseUrl)) {
    expect([username, count('password_changed', username)]).toEqual([username, made])
    expect(made).toBeGreaterThanOrEqual(promised.changes.get(username) ?? 0)
  }
  for (const username of promised.resets) expect([username, count('reset_password', username)]).toEqual([username, 1])
}

const idOf = ({ message }: Received): string => /^<([^@]+)@/.exec(message.messageId ?? '')![1]!

const countsOf = ({ received }: SmtpSink): Map<string, number> =>
  new Map([...Map.groupBy(received, idOf)].map(([id, copies]) => [id, copies.length]))

async function mailsOf(databaseUrl: string) {
  const found = await read(databaseUrl, 'SELECT id, kind, recipient, state, sealed IS NOT NULL FROM mails')
  return found.map(([id, kind, recipient, state, sealed]) => ({
    id: String(id),
    kind: String(kind),
    recipient: String(recipient),
    state: String(state),
    sealed: Boolean(sealed),
  }))
}

/** How often each user has changed the password, as the audit log says. */
async function changesOf(databaseUrl: string): Promise<Map<string, number>> {
  const found = await read(
    databaseUrl,
    `SELECT username, count(*) FROM users JOIN audit_events ON user_id = users.id WHERE event = 'password.changed'
     GROUP BY username`,
  )
  return new Map(found.map(([username, count]) => [String(username), Number(count)]))
}

const read = (databaseUrl: string, sql: string) => run(databaseUrl, sql, { inspect: true })
const change = (databaseUrl: string, sql: string) => run(databaseUrl, sql, {})

async function run(databaseUrl: string, sql: string, how: { inspect?: boolean }): Promise<unknown[][]> {
  const { rows, close } = await openUrl(databaseUrl, { ...how, poolSize: 1 })
  try {
    return await rows(sql)
  } finally {
    await close()
  }
}
