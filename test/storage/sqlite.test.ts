import { Database } from 'bun:sqlite'
import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { HOUR } from '../../src/lib/clock.ts'
import type { WriteOptions } from '../../src/storage/store.ts'
import { manualClock } from '../support/clock.ts'
import { scratchFolder } from '../support/scratch.ts'
import { lockFile, openMigrated, openUrl, openWithThing, refusalOf, type TestStorage, turns } from './support.ts'

let path: string
let url: string
let storage: TestStorage
let other: TestStorage
const clock = manualClock()

beforeEach(async () => {
  path = join(scratchFolder('sqlite'), 'users.db')
  url = `sqlite:///${path}`
  storage = await openWithThing(url, { clock })
  other = await openWithThing(url, { waitInside: true })
})
afterEach(async () => {
  await storage.close()
  await other.close()
})

const add = (id: number, name = `name ${id}`) =>
  storage.rows('INSERT INTO thing (id, name) VALUES ($1, $2)', [id, name])
const committed = async () => (await other.rows('SELECT id FROM thing ORDER BY id')).map(([id]) => Number(id))
const count = async () => (await committed()).length

describe('group commit', () => {
  test('puts at most 64 waiting units into one commit, statements and transactions alike', async () => {
    const atFirstAnswer = Promise.withResolvers<number>()
    const units = Array.from({ length: 100 }, async (_, id) => {
      await (id % 2 === 0 ? add(id) : storage.store.transaction(() => add(id)))
      atFirstAnswer.resolve(count())
    })
    expect(await atFirstAnswer.promise).toBe(64)
    await Promise.all(units)
    expect(await count()).toBe(100)
  })

  test('includes a unit that arrives while others wait for the file', async () => {
    const holder = await lockFile(path)
    const first = add(1)
    await turns()
    const second = add(2)
    await holder.release()
    await clock.advance(100)
    await Promise.all([first, second])
    expect(await committed()).toEqual([1, 2])
  })

  test('answers no unit if the commit fails, keeps nothing, and goes on', async () => {
    await storage.rows('CREATE TABLE part (thing bigint REFERENCES thing (id) DEFERRABLE INITIALLY DEFERRED)')
    const ran: number[] = []
    const outcomes = await Promise.all(
      [1, 2, 3].map((id) =>
        refusalOf(
          storage.store.transaction(async () => {
            storage.store.afterCommit(() => ran.push(id))
            await add(id)
            // A foreign key violation is found only at the commit.
            if (id === 2) await storage.rows('INSERT INTO part VALUES (77)')
          }),
        ),
      ),
    )
    expect(outcomes).toEqual(Array(3).fill('database_unavailable'))
    expect(ran).toEqual([])
    expect(await committed()).toEqual([])
    await add(4)
    expect(await committed()).toEqual([4])
  })

  test('counts waiting units and their time', async () => {
    const holder = await lockFile(path)
    const before = storage.store.stats()
    const waiting = [add(1), add(2)]
    await turns()
    expect(storage.store.stats().waiting - before.waiting).toBe(2)
    await clock.advance(500)
    await holder.release()
    await clock.advance(100)
    await Promise.all(waiting)
    const { waiting: left, waitedTotal, waitedMsTotal } = storage.store.stats()
    expect(left).toBe(0)
    expect(waitedTotal - before.waitedTotal).toBe(2)
    expect(waitedMsTotal - before.waitedMsTotal).toBeGreaterThanOrEqual(1_000)
    expect(waitedMsTotal - before.waitedMsTotal).toBeLessThanOrEqual(1_200)
  })
})

describe('while another process locks the file', () => {
  test('T5: a writer waits outside SQLite and succeeds within 3 seconds; readers never wait', async () => {
    await add(1)
    // A wait inside SQLite would stop everything else in the process.
    expect(await storage.rows('PRAGMA busy_timeout')).toEqual([[0]])
    const holder = await lockFile(path)
    let settled = false
    const waiting = Promise.all([add(2), storage.store.transaction(() => add(3))]).finally(() => {
      settled = true
    })
    await clock.advance(2_900)
    expect(settled).toBe(false)
    expect(await storage.rows('SELECT id FROM thing')).toEqual([[1]])
    await holder.release()
    await clock.advance(50)
    await waiting
    expect(await committed()).toEqual([1, 2, 3])
  })

  test('T5: a writer is refused after 3 seconds without having written, and the next one succeeds', async () => {
    const holder = await lockFile(path)
    const early = refusalOf(add(1))
    await clock.advance(2_000)
    let lateSettled = false
    const late = add(2).finally(() => {
      lateSettled = true
    })
    await clock.advance(1_050)
    expect(await early).toBe('database_busy')
    expect(lateSettled).toBe(false)
    await holder.release()
    await clock.advance(50)
    await late
    expect(await committed()).toEqual([2])
  })

  test('a command beside the server waits inside SQLite', async () => {
    expect(await other.rows('PRAGMA busy_timeout')).toEqual([[3000]])
  })
})

describe('when the disk is full', () => {
  const big = 'x'.repeat(200_000)
  const limitPages = async () => {
    const pages = Number((await storage.rows('SELECT page_count FROM pragma_page_count'))[0]![0])
    await storage.rows(`PRAGMA max_page_count = ${pages + 2}`)
  }

  test('T4: writers are refused, readers served, and everything recovers once there is space', async () => {
    await add(1)
    await limitPages()
    const refused = [refusalOf(add(2, big)), refusalOf(storage.store.transaction(() => add(3))), refusalOf(add(4))]
    expect(new Set(await Promise.all(refused))).toEqual(new Set(['database_unavailable']))
    expect(await refusalOf(storage.store.transaction(() => add(5, big)))).toBe('database_unavailable')
    expect(await storage.rows('SELECT id FROM thing')).toEqual([[1]])
    await storage.rows('PRAGMA max_page_count = 100000')
    await add(6, big)
    expect(await committed()).toEqual([1, 6])
  })

  test('a transaction that continues after the failure leaves nothing, and no unit of its batch is answered', async () => {
    await limitPages()
    const outcomes = await Promise.all([
      refusalOf(add(1)),
      refusalOf(
        storage.store.transaction(async () => {
          // SQLite has then rolled back everything: the next statement would be outside a transaction and persist.
          await add(2, big).catch(() => {})
          await add(3).catch(() => {})
        }),
      ),
      refusalOf(storage.store.transaction(() => add(4))),
    ])
    expect(new Set(outcomes)).toEqual(new Set(['database_unavailable']))
    expect(await committed()).toEqual([])
    await add(5)
    expect(await committed()).toEqual([5])
  })
})

test('a file that cannot be written is refused, and everything recovers once it can be', async () => {
  const [, readonly] = await Promise.all([
    storage.rows('PRAGMA query_only = ON'),
    refusalOf(storage.store.transaction(() => add(1))),
    storage.rows('PRAGMA query_only = OFF'),
  ])
  expect(readonly).toBe('database_unavailable')
  await add(2)
  expect(await committed()).toEqual([2])
})

test('texts of varying length do not accumulate as prepared statements', async () => {
  await add(1)
  for (let length = 1; length <= 600; length++) {
    const list = Array.from({ length }, (_, index) => `$${index + 1}`)
    const found = await storage.rows(`SELECT id FROM thing WHERE id IN (${list})`, [...list.slice(1).map(() => 0), 1])
    expect(found).toEqual([[1]])
  }
})

describe('the SQLite file', () => {
  const modeOf = (file: string) => (statSync(file).mode & 0o777).toString(8)

  test('P6: is created readable for its owner only, and so are the files beside it', async () => {
    await add(1)
    for (const name of [path, `${path}-wal`, `${path}-shm`]) expect(`${name} ${modeOf(name)}`).toBe(`${name} 600`)
  })

  test('keeps a mode that was set', async () => {
    chmodSync(path, 0o640)
    await (await openUrl(url)).close()
    expect(modeOf(path)).toBe('640')
  })

  test('is a single file once everybody has closed it', async () => {
    await add(1)
    await storage.close()
    await other.close()
    expect([`${path}-wal`, `${path}-shm`].filter((name) => existsSync(name))).toEqual([])
    storage = await openWithThing(url, { clock })
    other = await openWithThing(url)
    expect(await committed()).toEqual([1])
  })

  test('T3: is written with the settings that make an answer durable', async () => {
    const pragma = async (name: string) => (await storage.rows(`PRAGMA ${name}`))[0]![0]
    expect([await pragma('journal_mode'), await pragma('synchronous'), await pragma('foreign_keys')]).toEqual([
      'wal',
      2,
      1,
    ])
  })

  test('waits for the disk at a commit, unless a power cut may undo every write of the batch', async () => {
    const NORMAL = 1
    const FULL = 2
    const modeIn = (options?: WriteOptions) =>
      storage.store.transaction(async () => (await storage.rows('PRAGMA synchronous'))[0]![0], options)
    const count = { powerCutMayUndo: true }
    expect(await modeIn(count)).toBe(NORMAL)
    expect(await modeIn()).toBe(FULL)
    expect(await Promise.all([modeIn(count), modeIn(count)])).toEqual([NORMAL, NORMAL])
    expect(await Promise.all([modeIn(count), modeIn({ userId: 1 }), modeIn(count)])).toEqual([FULL, FULL, FULL])
    const more = await Promise.all([...Array.from({ length: 64 }, () => modeIn(count)), modeIn()])
    expect([more[0], more.at(-1)]).toEqual([NORMAL, FULL])
  })

  test('is refused in a missing folder, or if it is a folder', async () => {
    const folder = scratchFolder('sqlite')
    const open = (name: string) => () => openUrl(`sqlite:///${join(folder, name)}`)
    mkdirSync(join(folder, 'folder'))
    await expect(open('none/users.db')()).rejects.toThrow(expect.objectContaining({ code: 'ENOENT' }))
    await expect(open('folder')()).rejects.toThrow(expect.objectContaining({ code: 'EISDIR' }))
    expect(existsSync(join(folder, 'none'))).toBe(false)
  })
})

test.skipIf(process.platform !== 'linux')('a file that could not be opened is closed', async () => {
  const locked = join(scratchFolder('sqlite'), 'locked.db')
  const file = new Database(locked)
  file.run('CREATE TABLE keyward_migrations (id int)')
  file.close()
  const holder = await lockFile(locked)
  const opened = () => readdirSync('/proc/self/fd').filter((fd) => openedPath(fd) === locked).length
  // Each look at this clock is after the time in which the file may be locked.
  let now = 0
  const late = { ...clock, monotonic: () => (now += HOUR) }
  await expect(openUrl(`sqlite:///${locked}`, { clock: late })).rejects.toMatchObject({ code: 'SQLITE_BUSY' })
  expect(opened()).toBe(0)
  await holder.release()
})

function openedPath(fd: string): string | undefined {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`)
  } catch {}
}

test('after closing no new work is accepted and everything begun is finished', async () => {
  const last = [add(1), storage.store.transaction(() => add(2))]
  await storage.close()
  await Promise.all(last)
  expect(await committed()).toEqual([1, 2])
  expect(await refusalOf(add(3))).toBe('database_unavailable')
  expect(await refusalOf(storage.rows('SELECT id FROM thing'))).toBe('database_unavailable')
  storage = await openWithThing(url, { clock })
})

test.skipIf(process.platform !== 'linux')('rows that were read stay in memory, up to the configured size', async () => {
  await storage.rows('CREATE TABLE page (id integer PRIMARY KEY, filling text)')
  await storage.rows(
    `WITH RECURSIVE n (id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM n WHERE id < 25600)
     INSERT INTO page SELECT id, hex(zeroblob(1900)) FROM n`,
  )
  const readTwice = async (cacheMb: number) => {
    const { driver, close } = await openUrl(url, { cacheMb })
    const readAll = async () => {
      const before = bytesRead()
      await driver.tryRead('SELECT count(*) FROM page WHERE filling > id', [])
      return bytesRead() - before
    }
    await readAll()
    const again = await readAll()
    await close()
    return again
  }
  expect(await readTwice(128)).toBeLessThan(2 ** 20)
  expect(await readTwice(16)).toBeGreaterThan(100 * 2 ** 20)
})

/** Bytes that this process read from files and sockets. */
const bytesRead = () => Number(/^rchar: (\d+)/.exec(readFileSync('/proc/self/io', 'latin1'))![1])

test('in memory, reader and writer share one database', async () => {
  const memory = await openMigrated('sqlite::memory:')
  await memory.rows('CREATE TABLE thing (id bigint PRIMARY KEY)')
  await memory.store.transaction(() => memory.rows('INSERT INTO thing VALUES (1)'))
  expect(await memory.rows('SELECT id FROM thing')).toEqual([[1]])
  await memory.close()
})
