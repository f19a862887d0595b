import { expect, setDefaultTimeout, test } from 'bun:test'
import { existsSync, readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { openUrl } from '../storage/support.ts'
import { type RunningBinary, runBinary, serverSettings, startBinary } from '../support/binary.ts'
import { type Dialect, describeEachDialect, sqliteFile } from '../support/dialects.ts'
import { seededRandom } from '../support/random.ts'
import { expectCleanLog } from '../support/server-log.ts'
import { startSmtp } from '../support/smtp.ts'
import { mailEnv, tokenIn } from '../verification/support.ts'

setDefaultTimeout(180_000)

const email = 'chief@example.com'
const KILLS = 12
const random = seededRandom('first administrator')

/** A new service with ADMIN_EMAIL. With SQLite the link is in the file; with PostgreSQL it is mailed. */
async function open(dialect: Dialect) {
  const { url } = await dialect.databaseUrl()
  const sink = dialect.name === 'postgresql' ? await startSmtp() : undefined
  const env = { ADMIN_EMAIL: email, ...(sink && { ...mailEnv(sink), PUBLIC_URL: 'http://localhost:8000' }) }
  const options = { databaseUrl: url, args: [], env }
  const folder = dirname(sqliteFile(url))
  return {
    url,
    sink,
    folder,
    file: join(folder, 'first-admin.txt'),
    start: () => startBinary(options),
    startUntil: (kill: AbortSignal) => runBinary(['serve'], { env: serverSettings(options), kill }),
    close: () => sink?.close(),
  }
}

type Opened = Awaited<ReturnType<typeof open>>

/** The tokens of all links that somebody could have read until now. */
function tokensOf({ sink, folder }: Opened): string[] {
  const mailed = sink?.received.map(tokenIn) ?? []
  const kept = sink
    ? []
    : readdirSync(folder)
        .filter((name) => name.startsWith('first-admin.txt'))
        .flatMap((name) => /token=([\w-]+)/.exec(readFileSync(join(folder, name), 'utf8'))?.[1] ?? [])
  return [...mailed, ...kept]
}

/** Waits until the link has reached its reader. */
async function untilRead(opened: Opened, keyward: RunningBinary): Promise<void> {
  if (!opened.sink) return keyward.says(/first_admin_file|"started"/)
  await opened.sink.arrived(1)
}

/** A mail that the killed process had claimed is due when its lease ends. The test does not wait for that. */
async function releaseMails(url: string): Promise<void> {
  const { rows, close } = await openUrl(url)
  await rows("UPDATE mails SET due_at = 0 WHERE state = 'queued'")
  await close()
}

const accept = (keyward: RunningBinary, token: string, username: string) =>
  keyward.request('POST', '/invitation/accept', { json: { token, username, password: 'correct horse battery' } })

/** Checks that one of `tokens` makes one administrator, whoever asks and how often, and that all are void afterwards. */
async function expectOneAdmin(opened: Opened, tokens: Iterable<string>, servers: RunningBinary[]): Promise<void> {
  const server = servers[0]!
  const all = [...new Set(tokens)]
  const statuses = await Promise.all(
    all.map(async (token) => (await server.request('GET', `/invite?token=${token}`)).status),
  )
  expect(statuses.filter((status) => status === 200)).toHaveLength(1)
  if (!opened.sink) {
    expect(statSync(opened.file).mode & 0o777).toBe(0o600)
    expect(tokensOf(opened)).toContain(all[statuses.indexOf(200)]!)
  }
  const asked = all.flatMap((token) => servers.map((one, at) => accept(one, token, `chief${at}`)))
  const answers = await Promise.all(asked)
  expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
  for (const token of all) expect((await accept(server, token, 'again')).status).toBe(400)
  expect(existsSync(opened.file)).toBe(false)
  const { rows, close } = await openUrl(opened.url, { inspect: true, poolSize: 1 })
  const one = async (sql: string) => Number((await rows(sql))[0]![0])
  expect([
    await one('SELECT count(*) FROM users'),
    await one("SELECT count(*) FROM user_roles WHERE role = 'admin'"),
    await one("SELECT count(*) FROM audit_events WHERE event = 'role.granted'"),
    await one('SELECT count(*) FROM first_admin_links'),
  ]).toEqual([1, 1, 1, 0])
  await close()
}

describeEachDialect('the first start with ADMIN_EMAIL', (dialect) => {
  test('14.2 killed at many moments and started again, it leaves one link that is good, and one administrator', async () => {
    const timed = await open(dialect)
    const began = performance.now()
    const whole = await timed.start()
    const within = performance.now() - began
    await whole.stop()
    await timed.close()

    const opened = await open(dialect)
    const seen = new Set<string>()
    let early = 0
    for (let kill = 0; kill < KILLS; kill++) {
      // Most kills hit the end of the start, where the link is made.
      const moment = Math.round(within * (0.3 + (0.8 * (kill + random.fraction())) / KILLS))
      const { exitCode, stdout, stderr } = await opened.startUntil(AbortSignal.timeout(moment))
      expect(exitCode).toBe(128 + 9)
      if (!stdout.includes('"started"')) early++
      expectCleanLog(stdout + stderr)
      for (const token of tokensOf(opened)) seen.add(token)
    }
    expect(early).toBeGreaterThan(2)
    // What a kill between the two steps of writing the file leaves.
    const draft = `${opened.file}.${'a'.repeat(22)}`
    if (!opened.sink) {
      writeFileSync(draft, 'Keyward: become', { mode: 0o600 })
      utimesSync(draft, 1, 1)
    }
    if (opened.sink) await releaseMails(opened.url)
    const keyward = await opened.start()
    try {
      await untilRead(opened, keyward)
      expect(existsSync(draft)).toBe(false)
      for (const token of tokensOf(opened)) seen.add(token)
      await expectOneAdmin(opened, seen, [keyward])
    } finally {
      await keyward.stop()
    }
    // A further start makes no other link.
    const again = await opened.start()
    expect(existsSync(opened.file)).toBe(false)
    expect(again.output()).not.toContain('first_admin_invited')
    await again.stop()
    await opened.close()
  })

  test('14.2 by two executables at once makes one link and one administrator', async () => {
    for (let round = 0; round < 3; round++) {
      const opened = await open(dialect)
      const starts = await Promise.allSettled([opened.start(), opened.start()])
      const servers = starts.flatMap((start) => (start.status === 'fulfilled' ? [start.value] : []))
      try {
        expect(starts.flatMap((start) => (start.status === 'rejected' ? [String(start.reason)] : []))).toEqual([])
        for (const server of servers) await untilRead(opened, server)
        const made = servers.filter((server) => server.output().includes('"first_admin_invited"'))
        expect(made).toHaveLength(1)
        await expectOneAdmin(opened, tokensOf(opened), servers)
        for (const server of servers) expectCleanLog(server.output())
      } finally {
        await Promise.all(servers.map((server) => server.stop()))
        await opened.close()
      }
    }
  })
})
