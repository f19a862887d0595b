import { Database } from 'bun:sqlite'
import { copyFileSync } from 'node:fs'
import { join } from 'node:path'
import { scratchFolder } from '../../support/scratch.ts'
import { type Bench, inTurn, medianOf } from '../bench.ts'
import { filled, picker } from '../fill.ts'
import type { Reading } from '../plan.ts'
import { type Findings, pair } from '../report.ts'
import { logInAll, rawRequest } from '../requests.ts'
import { type Server, startKeyward } from '../servers.ts'

const [FEW, MANY] = [1_000, 1_000_000]

/** As in the section of a million users. */
const CACHE_MB = 128

const SEARCHES = 4_000

/** The beginning of a number, of 1 to all of its digits. */
const beginning = (user: number, random: number) => String(user).slice(0, 1 + (random % String(user).length))

/** The time of registration of a user, in `withAdmin`. */
const registeredAt = (user: number) => 1_600_000_000_000 + user * 1_000

const text = (value: string) => Buffer.from(value).toString('base64url')

/** The query of a search for a user, by what is searched for. */
const searches: Record<string, (user: number, random: number) => string> = {
  'a whole address': (user) => `q=name${user}@example.com`,
  'a whole username': (user) => `q=name${user}`,
  'an id': (user) => `q=${user}`,
  'the beginning of an id': (user, random) => `q=${beginning(user, random)}`,
  'the beginning of an id, newest first': (user, random) => `q=${beginning(user, random)}&sort=-created_at`,
  'the beginning of an id, by address': (user, random) => `q=${beginning(user, random)}&sort=email`,
  'the beginning of a name': (user, random) => `q=name${beginning(user, random)}`,
  'the beginning of a name, newest first': (user, random) => `q=name${beginning(user, random)}&sort=-created_at`,
  'the beginning of a name, by address': (user, random) => `q=name${beginning(user, random)}&sort=email`,
  'the beginning of a name, by username': (user, random) => `q=name${beginning(user, random)}&sort=username`,
  'the next page of a list': (user) => `cursor=${user}`,
  'the next page, newest first': (user) => `sort=-created_at&cursor=${registeredAt(user)}.${user}`,
  'the next page, by address': (user) => `sort=email&cursor=${text(`name${user}@example.com`)}`,
  'the next page, by username backwards': (user) => `sort=-username&cursor=${text(`name${user}`)}`,
  'the administrators': () => 'role=admin',
}

/** Searches of administrators, one after the other on each of four connections. */
export async function admin(bench: Bench): Promise<Findings> {
  const path = await withAdmin(await filled({ users: MANY, sessions: 1 }), MANY)
  const copy = join(scratchFolder('bench-db'), 'keyward.db')
  copyFileSync(path, copy)
  const servers: Record<string, Server> = {
    few: await served(await withAdmin(await filled({ users: FEW, sessions: 1 }), FEW)),
    many: await served(path, { SQLITE_CACHE_MB: String(CACHE_MB) }),
    uncached: await served(copy),
  }
  const tokens: Record<string, string> = {}
  for (const [name, { port }] of Object.entries(servers))
    tokens[name] = (await logInAll(port, ['user1']))[0]!.access_token
  const load = (name: string, query: (typeof searches)[string]) => () => {
    const { port, pid } = servers[name]!
    const someone = picker()
    const headers = { authorization: `Bearer ${tokens[name]!}`, accept: 'application/json' }
    const requests = Array.from({ length: SEARCHES }, () => {
      const user = 1 + (someone() % (name === 'few' ? FEW : MANY))
      return rawRequest('GET', `/admin/users?${query(user, someone())}`, headers)
    })
    return bench.load({ port, pid, connections: 4, requests, warmupMs: 500, durationMs: bench.long ? 3_000 : 1_200 })
  }
  const steps = Object.entries(searches).flatMap(([what, query]) =>
    Object.keys(servers).map((name) => [`${what}, ${name}`, load(name, query)] as const),
  )
  const rounds = await bench.rounds(2, () => inTurn<Reading>(Object.fromEntries(steps)))
  const value = (name: string, of: 'p50' | 'p99') => medianOf(rounds.kept, (round) => round[name]![of])
  const cell = (what: string, name: string) => pair(value(`${what}, ${name}`, 'p50'), value(`${what}, ${name}`, 'p99'))
  const ratio = (what: string, name: string) =>
    medianOf(rounds.kept, (round) => round[`${what}, ${name}`]!.p99 / round[`${what}, few`]!.p99)
  const whats = Object.keys(searches)
  return {
    title: 'Searches of administrators',
    text: `\`GET /admin/users\` with 50 users a page, 4 connections, for random users out of 1,000 and out of 1,000,000, who have registered one after the other, with names in another order. A beginning has 1 to all digits of a number: 1 digit matches a ninth of all users. \`SQLITE_CACHE_MB\` is as the head says; its default is enough for 1,000 users. p50 / p99 ms.`,
    table: [
      ['', '1,000 users', `1,000,000 users, SQLITE_CACHE_MB=${CACHE_MB}`, '1,000,000 users, with the default'],
      ...whats.map((what) => [what, cell(what, 'few'), cell(what, 'many'), cell(what, 'uncached')]),
    ],
    gates: [
      ...whats.map((what) => ({
        what: `p99 of ${what}, relative to 1,000 users`,
        value: ratio(what, 'many'),
        atMost: 3,
      })),
      ...whats.map((what) => ({
        what: `p99 of ${what} with the default of SQLITE_CACHE_MB, likewise`,
        value: ratio(what, 'uncached'),
      })),
    ],
    rounds,
  }
}

const served = (path: string, settings: Record<string, string> = {}): Promise<Server> =>
  startKeyward({ DATABASE_URL: `sqlite:///${path}`, ...settings })

/**
 * Gives the first user the role `admin`. Users register one a second, and their names are in another order than their
 * ids: user 17 of a million is `name134623`.
 */
async function withAdmin(path: string, users: number): Promise<string> {
  using db = new Database(path)
  db.run('PRAGMA cache_size = -262144')
  db.run(`INSERT INTO user_roles (user_id, role, granted_at) VALUES (1, 'admin', 0)`)
  db.run('UPDATE users SET created_at = ? + id * 1000', [registeredAt(0)])
  // Multiples of a number modulo a prime differ.
  const name = `'name' || (id * 7919 % ${users === MANY ? 1_000_003 : 1_009})`
  const address = `${name} || '@example.com'`
  db.run(`UPDATE users SET username = ${name}, username_key = ${name}, email = ${address}, email_key = ${address}
    WHERE id > 1`)
  db.run('PRAGMA wal_checkpoint(TRUNCATE)')
  return path
}
