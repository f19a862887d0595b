import { Database } from 'bun:sqlite'
import { join } from 'node:path'
import { binaryPath } from '../../support/binary.ts'
import { startPostgres } from '../../support/postgres.ts'
import { scratchFolder } from '../../support/scratch.ts'
import { type Bench, medianOf } from '../bench.ts'
import { type Findings, figure } from '../report.ts'
import { password } from '../requests.ts'
import { keywardSettings } from '../servers.ts'

const MANY = 1_000_000
const ON_POSTGRES = 100_000

export async function importing(bench: Bench): Promise<Findings> {
  const server = await startPostgres()
  const many = await oldUsers(MANY)
  const few = await oldUsers(ON_POSTGRES)
  const rounds = await bench.rounds(1, () =>
    bench.observe(async () => ({
      sqlite: await imported(many, MANY, `sqlite:///${join(scratchFolder('bench-db'), 'keyward.db')}`),
      postgresql: await imported(few, ON_POSTGRES, (await server.createDatabase()).url),
    })),
  )
  const of = (name: 'sqlite' | 'postgresql', what: keyof Reading) => medianOf(rounds.kept, (round) => round[name][what])
  const row = (title: string, name: 'sqlite' | 'postgresql') => [
    title,
    figure(of(name, 'perSecond')),
    figure(of(name, 'seconds')),
    figure(of(name, 'peakMiB')),
  ]
  return {
    title: 'Import',
    text: '`keyward import` from the SQLite file of a FastAPI service, with ready hashes and names in random order, into an empty database; the start of the program and the check of all accounts before the first insert are counted.',
    table: [
      ['', 'users/s', 'seconds', 'peak resident MiB'],
      row('1,000,000 users into SQLite', 'sqlite'),
      row('100,000 users into PostgreSQL', 'postgresql'),
    ],
    gates: [
      { what: 'users per second on SQLite', value: of('sqlite', 'perSecond'), atLeast: 20_000, unit: 'count' },
      { what: 'peak resident MiB', value: Math.round(of('sqlite', 'peakMiB')), atMost: 300, unit: 'count' },
    ],
    rounds,
  }
}

interface Reading {
  perSecond: number
  seconds: number
  peakMiB: number
}

async function imported(from: string, users: number, databaseUrl: string): Promise<Reading> {
  await keyward(['migrate', 'up'], databaseUrl)
  const start = performance.now()
  const peakMiB = await keyward(['import', '--from', from], databaseUrl)
  const seconds = (performance.now() - start) / 1_000
  return { perSecond: Math.round(users / seconds), seconds, peakMiB }
}

/** @returns the peak of the resident memory, in MiB */
async function keyward(args: string[], databaseUrl: string): Promise<number> {
  const child = Bun.spawn([await binaryPath(), ...args], {
    env: keywardSettings({ DATABASE_URL: databaseUrl }),
    stdout: 'ignore',
    stderr: 'inherit',
  })
  if ((await child.exited) !== 0) throw new Error(`keyward ${args[0]} failed`)
  return (child.resourceUsage()?.maxRSS ?? Number.NaN) / 2 ** 20
}

/** Makes the database of a FastAPI service. @returns its address */
async function oldUsers(count: number): Promise<string> {
  const path = join(scratchFolder('bench-old'), 'users.db')
  const hash = await Bun.password.hash(password, { algorithm: 'bcrypt', cost: 10 })
  using db = new Database(path, { create: true })
  db.run(`CREATE TABLE users (id INTEGER NOT NULL PRIMARY KEY, email VARCHAR, username VARCHAR, hashed_password VARCHAR,
    is_active BOOLEAN, created_at TIMESTAMP)`)
  // 7,919 is a prime, so each number comes once.
  db.run(
    `WITH RECURSIVE n (id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM n WHERE id < ?1)
     INSERT INTO users SELECT id, 'user' || (id * 7919 % ?1) || '@example.com', 'User' || (id * 7919 % ?1), ?2, 1,
       '2024-02-03 04:05:06.789' FROM n`,
    [count, hash],
  )
  return `sqlite:///${path}`
}
