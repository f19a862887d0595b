import { Database } from 'bun:sqlite'
import { beforeEach, expect, setDefaultTimeout, test } from 'bun:test'
import { copyFileSync, readFileSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { manualClock } from '../support/clock.ts'
import { seededRandom } from '../support/random.ts'
import { scratchFolder } from '../support/scratch.ts'
import { openUrl, openWithThing, type TestStorage } from './support.ts'

setDefaultTimeout(60_000)

let folder: string
let path: string
let clock: ReturnType<typeof manualClock>

beforeEach(() => {
  folder = scratchFolder('count')
  path = join(folder, 'users.db')
  clock = manualClock()
})

/** Opened as Keyward's own database, by a server. */
async function openOwn(file = path): Promise<TestStorage> {
  const storage = await openWithThing(`sqlite:///${file}`, { clock, random: seededRandom(file) })
  await storage.rows('CREATE TABLE IF NOT EXISTS keyward_migrations (name text)')
  return storage
}

function countOf(file: string): unknown {
  const db = new Database(file, { readonly: true })
  const [[count]] = db.query('PRAGMA user_version').values() as [[unknown]]
  db.close()
  return count
}

/** The files as a crash at this moment would leave them, in a folder of their own. */
function crash(file = path): string {
  const left = join(scratchFolder('crashed'), 'users.db')
  for (const suffix of ['', '-wal']) copyFileSync(`${file}${suffix}`, `${left}${suffix}`)
  return left
}

let ids = 0
async function write(storage: TestStorage): Promise<void> {
  await storage.rows('INSERT INTO thing VALUES (?, ?)', [++ids, `thing ${ids}`])
  await clock.advance(1_000)
}

const refusal = (file: string) =>
  `${file}-wal does not belong to ${file}: the file was replaced, for example with a backup, and rows of the earlier file are left in the write-ahead log. Nothing was changed. To go on with the file as it is, delete ${file}-wal and ${file}-shm.`

/** Moments at which a backup was made; then the server crashed. */
const moments: [when: string, live: (backUp: (way: Way) => void) => Promise<TestStorage>][] = [
  [
    'while it ran, a checkpoint ago',
    async (backUp) => {
      const server = await openOwn()
      await write(server)
      await server.store.checkpoint()
      backUp(copyMainFile)
      await write(server)
      await server.store.checkpoint()
      await write(server)
      return server
    },
  ],
  [
    'while it ran, with VACUUM INTO',
    async (backUp) => {
      const server = await openOwn()
      await write(server)
      backUp(vacuumInto)
      await write(server)
      await server.store.checkpoint()
      await write(server)
      return server
    },
  ],
  [
    'before its last start',
    async (backUp) => {
      const earlier = await openOwn()
      await write(earlier)
      await earlier.close()
      backUp(copyMainFile)
      const server = await openOwn()
      await write(server)
      return server
    },
  ],
]

type Way = (to: string) => void
const copyMainFile: Way = (to) => copyFileSync(path, to)
const vacuumInto: Way = (to) => {
  const reader = new Database(path, { readonly: true })
  reader.run('VACUUM INTO ?', [to])
  reader.close()
}

test.each(moments)('12.C4 a write-ahead log that a crash left does not undo a backup made %s', async (_when, live) => {
  const backup = join(folder, 'backup.db')
  const server = await live((copy) => copy(backup))
  const left = crash()
  await server.close()
  copyFileSync(backup, left)
  const files = () => ['', '-wal'].map((suffix) => readFileSync(`${left}${suffix}`).toString('base64'))
  const kept = files()
  for (const options of [{}, { mustExist: true }, { inspect: true }])
    await expect(openUrl(`sqlite:///${left}`, options)).rejects.toThrow(refusal(left))
  expect(files()).toEqual(kept)

  // As the sentence says.
  rmSync(`${left}-wal`)
  const restored = await openOwn(left)
  expect(await restored.rows('SELECT count(*) FROM thing')).toEqual([[1]])
  await restored.close()
})

test('12.C4 a write-ahead log of another database is refused', async () => {
  const [mine, other] = await Promise.all([openOwn(), openOwn(join(folder, 'other.db'))])
  await write(mine)
  await write(other)
  const left = crash()
  copyFileSync(crash(join(folder, 'other.db')), left)
  await Promise.all([mine.close(), other.close()])
  await expect(openUrl(`sqlite:///${left}`)).rejects.toThrow(refusal(left))
})

test('whatever a crash leaves is opened, and every answered row is there', async () => {
  const random = seededRandom('crashes')
  const server = await openOwn()
  const other = new Database(path)
  const reader = new Database(path, { readonly: true })
  const acts: (() => unknown)[] = [
    () => write(server),
    () => write(server),
    () => server.rows('INSERT INTO thing VALUES (?, ?)', [++ids, 'x'.repeat(60_000) + ids]),
    () => server.store.checkpoint(),
    // Another process, which does not count.
    () => other.run('INSERT INTO thing VALUES (?, ?)', [++ids, `other ${ids}`]),
    () => other.query('PRAGMA wal_checkpoint(PASSIVE)').values(),
    // A reader keeps the log from being emptied.
    () => reader.run('BEGIN') && reader.query('SELECT count(*) FROM thing').values(),
    () => reader.run('COMMIT'),
    async () => (await openOwn()).close(),
  ]
  for (let round = 0; round < 40; round++) {
    try {
      await acts[Math.floor(random.fraction() * acts.length)]!()
    } catch (error) {
      // BEGIN twice, or COMMIT without BEGIN.
      if (!String(error).includes('transaction')) throw error
    }
    const left = crash()
    const rows = await server.rows('SELECT count(*) FROM thing')
    const opened = await openUrl(`sqlite:///${left}`, { mustExist: true })
    expect(await opened.rows('SELECT count(*) FROM thing')).toEqual(rows)
    await opened.close()
    rmSync(dirname(left), { recursive: true })
  }
  reader.close()
  other.close()
  await server.close()
})

test('a file of an earlier version is counted at its next start, and not before', async () => {
  const old = new Database(path)
  old.run('PRAGMA journal_mode = WAL')
  old.run('CREATE TABLE keyward_migrations (name text)')
  old.run('CREATE TABLE thing (id bigint PRIMARY KEY, name text UNIQUE)')
  const beside = await openUrl(`sqlite:///${path}`)
  await write(beside)
  expect(countOf(path)).toBe(0)
  const early = crash()
  await beside.close()
  old.close()
  await (await openOwn(early)).close()

  const server = await openOwn()
  // In the file itself.
  copyFileSync(path, `${path}.copy`)
  expect(countOf(`${path}.copy`)).toBeGreaterThan(0)
  await server.close()
})
