import { afterEach, expect, test } from 'bun:test'
import { SECOND } from '../../src/lib/clock.ts'
import { releaseLease, tryLease } from '../../src/storage/lease.ts'
import { createTestApp, type TestApp } from '../support/app.ts'
import { describeEachDialect } from '../support/dialects.ts'

describeEachDialect('a lease', (dialect) => {
  let apps: TestApp[] = []
  const open = async (options: Parameters<typeof createTestApp>[0]) => {
    const app = await createTestApp(options)
    apps.push(app)
    return app
  }
  afterEach(async () => {
    for (const app of apps.splice(0).reverse()) await app.close()
    apps = []
  })

  const contend = async (all: TestApp[], who: string) => {
    const names = Array.from({ length: 24 }, (_, i) => `${who} ${i}`)
    const won = await Promise.all(
      names.map((name, i) => tryLease(all[i % all.length]!.deps, 'tidy', name, 10 * SECOND)),
    )
    return names.filter((_, i) => won[i])
  }

  test('goes to one of 24 at once, and when it ran out to one of 24 again', async () => {
    const first = await open({ dialect })
    const second = await open({ databaseUrl: first.databaseUrl, clock: first.clock })
    expect(await contend([first, second], 'early')).toHaveLength(1)
    await first.clock.advance(10 * SECOND - 1)
    expect(await contend([first, second], 'too early')).toHaveLength(0)
    await first.clock.advance(SECOND)
    expect(await contend([second, first], 'late')).toHaveLength(1)
  })

  test('is renewed by its holder alone', async () => {
    const { deps, clock } = await open({ dialect })
    expect(await tryLease(deps, 'tidy', 'ada', 10 * SECOND)).toBeTrue()
    await clock.advance(9 * SECOND)
    expect(await tryLease(deps, 'tidy', 'bob', 10 * SECOND)).toBeFalse()
    expect(await tryLease(deps, 'tidy', 'ada', 10 * SECOND)).toBeTrue()
    await clock.advance(9 * SECOND)
    expect(await tryLease(deps, 'tidy', 'bob', 10 * SECOND)).toBeFalse()
    await clock.advance(SECOND)
    expect(await tryLease(deps, 'tidy', 'bob', 10 * SECOND)).toBeTrue()
  })

  test('is given back by its holder alone, and one name is not another', async () => {
    const { deps } = await open({ dialect })
    expect(await tryLease(deps, 'tidy', 'ada', 10 * SECOND)).toBeTrue()
    expect(await tryLease(deps, 'sweep', 'bob', 10 * SECOND)).toBeTrue()
    await releaseLease(deps.store, 'tidy', 'bob')
    expect(await tryLease(deps, 'tidy', 'bob', 10 * SECOND)).toBeFalse()
    await releaseLease(deps.store, 'tidy', 'ada')
    expect(await tryLease(deps, 'tidy', 'bob', 10 * SECOND)).toBeTrue()
  })
})
