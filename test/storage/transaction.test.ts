import { afterEach, beforeEach, expect, test } from 'bun:test'
import { manualClock } from '../support/clock.ts'
import { type DialectDatabase, describeEachDialect } from '../support/dialects.ts'
import { openWithThing, refusalOf, type TestStorage, turns } from './support.ts'

describeEachDialect('a transaction', (dialect) => {
  let database: DialectDatabase
  let storage: TestStorage
  /** The view of another process: committed data. */
  let other: TestStorage
  const logged: unknown[] = []
  const clock = manualClock()

  beforeEach(async () => {
    logged.length = 0
    database = await dialect.databaseUrl()
    storage = await openWithThing(database.url, { clock, log: { error: (event) => logged.push(event), warn() {} } })
    other = await openWithThing(database.url)
  })
  afterEach(async () => {
    await storage.close()
    await other.close()
    await database.dispose()
  })

  const add = (id: number, name = `name ${id}`) =>
    storage.rows('INSERT INTO thing (id, name) VALUES ($1, $2)', [id, name])
  const committed = async () => (await other.rows('SELECT id FROM thing ORDER BY id')).map(([id]) => Number(id))

  test('returns the result of its work, and keeps what it wrote', async () => {
    const answer = await storage.store.transaction(async () => {
      await add(1)
      await add(2)
      return 'done'
    })
    expect(answer).toBe('done')
    expect(await committed()).toEqual([1, 2])
  })

  test('rolls back completely if its work throws, and only that one of many in parallel', async () => {
    const outcomes = await Promise.allSettled(
      [1, 2, 3, 4].map((id) =>
        storage.store.transaction(async () => {
          await add(id)
          await add(id + 10)
          if (id === 2) throw new Error('not this one')
          return id
        }),
      ),
    )
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled', 'fulfilled'])
    expect(outcomes[1]).toMatchObject({ reason: { message: 'not this one' } })
    expect(await committed()).toEqual([1, 3, 4, 11, 13, 14])
  })

  test('is visible to others only after its end, and to itself at once', async () => {
    const seen: unknown[] = []
    await storage.store.transaction(async () => {
      await add(1)
      seen.push(await committed(), await storage.rows('SELECT name FROM thing'))
    })
    seen.push(await committed())
    expect(seen).toEqual([[], [['name 1']], [1]])
  })

  test('resolves, and runs work for after the commit, once others can see it', async () => {
    const seen: Promise<boolean>[] = []
    await Promise.all(
      Array.from({ length: 40 }, async (_, id) => {
        const look = () => seen.push(committed().then((ids) => ids.includes(id)))
        await storage.store.transaction(async () => {
          storage.store.afterCommit(look)
          await add(id)
        })
        look()
      }),
    )
    expect(await Promise.all(seen)).toEqual(Array(80).fill(true))
  })

  test('runs work for after the commit only if it commits, and outside a transaction at once', async () => {
    const ran: string[] = []
    await refusalOf(
      storage.store.transaction(async () => {
        storage.store.afterCommit(() => ran.push('rolled back'))
        await add(1)
        throw new Error('no')
      }),
    )
    storage.store.afterCommit(() => ran.push('outside'))
    expect(ran).toEqual(['outside'])
  })

  test('stays committed, like those after it, if work after the commit throws', async () => {
    const outcomes = await Promise.all(
      [1, 2, 3].map((id) =>
        storage.store.transaction(async () => {
          await add(id)
          storage.store.afterCommit(() => {
            throw new Error('sync')
          })
          storage.store.afterCommit(async () => {
            throw new Error('async')
          })
          return id
        }),
      ),
    )
    expect(outcomes).toEqual([1, 2, 3])
    await turns()
    expect(logged).toEqual(Array(6).fill('after_commit_failed'))
    await add(4)
    expect(await committed()).toEqual([1, 2, 3, 4])
  })

  test('may be begun by work after another commit', async () => {
    const { promise, resolve, reject } = Promise.withResolvers<unknown>()
    await storage.store.transaction(async () => {
      await add(1)
      storage.store.afterCommit(() => void storage.store.transaction(() => add(2)).then(resolve, reject))
    })
    await promise
    expect(await committed()).toEqual([1, 2])
  })

  test('includes the transactions that are begun in it', async () => {
    const ran: string[] = []
    const outcome = refusalOf(
      storage.store.transaction(async () => {
        await add(1)
        await storage.store.transaction(async () => {
          storage.store.afterCommit(() => ran.push('inner'))
          await add(2)
        })
        expect(await committed()).toEqual([])
        throw new Error('outer')
      }),
    )
    expect(await outcome).toBe('Error: outer')
    expect(ran).toEqual([])
    expect(await committed()).toEqual([])
  })

  test('rolls back if an included one fails, even if the error is caught', async () => {
    const outcome = storage.store.transaction(async () => {
      await add(1)
      await storage.store
        .transaction(async () => {
          await add(2)
          throw new Error('inner')
        })
        .catch(() => {})
      return 'went on'
    })
    expect(await refusalOf(outcome)).toBe('Error: inner')
    expect(await committed()).toEqual([])
  })

  test('rolls back if one of its statements fails, even if the error is caught, and runs no other', async () => {
    await add(1)
    let next = ''
    const outcome = storage.store.transaction(async () => {
      await add(2)
      await add(1).catch(() => {})
      next = await refusalOf(add(3))
    })
    expect(await refusalOf(outcome)).toMatch(/constraint/i)
    expect(next).toContain('an earlier one of its transaction had failed')
    expect(await committed()).toEqual([1])
  })

  test('refuses statements and transactions after its end', async () => {
    const late = Promise.withResolvers<void>()
    let stray: Promise<string[]> | undefined
    await storage.store.transaction(async () => {
      await add(1)
      stray = late.promise.then(async () => [
        await refusalOf(add(2)),
        await refusalOf(storage.rows('SELECT id FROM thing')),
        await refusalOf(storage.store.transaction(() => add(3))),
      ])
    })
    late.resolve()
    expect(await stray).toEqual(Array(3).fill('Error: A statement was run after its transaction had ended'))
    expect(await committed()).toEqual([1])
  })

  test('that waits for something else is rolled back in time and delays nobody', async () => {
    const never = Promise.withResolvers<void>()
    const begun = Promise.withResolvers<void>()
    const hung = Array.from({ length: 7 }, (_, id) =>
      refusalOf(
        storage.store.transaction(async () => {
          if (id === 0) await add(1)
          begun.resolve()
          await never.promise
          await add(2)
        }),
      ),
    )
    await begun.promise
    await turns()
    for (let seconds = 0; seconds < 40; seconds++) await clock.advance(1_000)
    const refusal = dialect.name === 'sqlite' ? /awaited something other/ : /database_unavailable/
    for (const one of hung) expect(await one).toMatch(refusal)
    // Its connection is free again: the whole pool can be used.
    await Promise.all([3, 4, 5, 6, 7, 8].map((id) => storage.store.transaction(() => add(id))))
    never.resolve()
    await turns()
    expect(await committed()).toEqual([3, 4, 5, 6, 7, 8])
  })

  test('of 24 in parallel that want one row, one gets it', async () => {
    await add(1, 'free')
    const taken = await Promise.all(
      Array.from({ length: 24 }, (_, index) => {
        const { store, rows } = index % 2 === 0 ? storage : other
        return store.transaction(() =>
          rows(`UPDATE thing SET name = $1 WHERE id = 1 AND name = 'free' RETURNING id`, [`${index}`]),
        )
      }),
    )
    expect(taken.filter((rows) => rows.length === 1)).toHaveLength(1)
    expect(taken.flat()).toHaveLength(1)
  })

  test('counts up without losing a step, 24 in parallel from two processes', async () => {
    await add(1, '0')
    const step = ({ store, rows }: TestStorage) =>
      store.transaction(async () => {
        const found = await rows(`SELECT name FROM thing WHERE id = 1${dialect.name === 'sqlite' ? '' : ' FOR UPDATE'}`)
        await rows('UPDATE thing SET name = $1 WHERE id = 1', [String(Number(found[0]![0]) + 1)])
      })
    await Promise.all(Array.from({ length: 24 }, (_, index) => step(index % 2 === 0 ? storage : other)))
    expect(await storage.rows('SELECT name FROM thing')).toEqual([['24']])
  })
})
