import { expect, test } from 'bun:test'
import { KeywardError } from '../../src/errors.ts'
import { createHashGate, type HashGateOptions } from '../../src/features/passwords/hash-gate.ts'
import { manualClock } from '../support/clock.ts'

function setUp(options: Partial<HashGateOptions> = {}) {
  const clock = manualClock()
  const gate = createHashGate({ concurrency: 2, maxWaitMs: 1_000, fairness: false, expectedMs: 100, clock, ...options })
  const started: string[] = []
  const ended: string[] = []
  /** Requests a turn that lasts `ms`; resolves with the name, or the error. */
  const ask = (name: string, client?: string, ms = 100, typed?: string) =>
    gate
      .run({ client, name: typed }, async () => {
        started.push(name)
        await clock.sleep(ms)
        ended.push(name)
        return name
      })
      .catch((error: unknown) => error)
  const askMany = (count: number, client?: string) =>
    Array.from({ length: count }, (_, index) => ask(`${client ?? 'anyone'} ${index}`, client))
  return { clock, gate, started, ended, ask, askMany }
}

const refusals = (answers: unknown[]) => answers.filter((answer) => answer instanceof KeywardError)

test('runs one hash per core, first come first served', async () => {
  const { clock, gate, started, ask } = setUp()
  const asked = ['a', 'b', 'c', 'd', 'e'].map((name) => ask(name))
  expect(gate.stats()).toMatchObject({ running: 2, queued: 3 })
  await clock.advance(0)
  await clock.advance(99)
  expect(started).toEqual(['a', 'b'])
  await clock.advance(1)
  expect(started).toEqual(['a', 'b', 'c', 'd'])
  await clock.advance(200)
  expect(await Promise.all(asked)).toEqual(['a', 'b', 'c', 'd', 'e'])
  expect(gate.stats()).toMatchObject({ running: 0, queued: 0, refusedTotal: 0, waitedTotal: 5, waitedMsTotal: 400 })
})

test('R1: accepts what fits into the longest wait and refuses the rest after a pause', async () => {
  const { clock, gate, askMany } = setUp()
  // Two run, and 1,000 ms hold 20 more of 100 ms on two cores.
  const asked = askMany(25)
  expect(gate.stats()).toMatchObject({ running: 2, queued: 20, refusedTotal: 3 })
  let refusedYet = false
  asked[24]?.then(() => {
    refusedYet = true
  })
  await clock.advance(249)
  expect(refusedYet).toBe(false)
  await clock.advance(1)
  expect(refusedYet).toBe(true)
  await clock.advance(2_000)
  const answers = await Promise.all(asked)
  expect(answers.slice(0, 22)).not.toContainEqual(expect.any(KeywardError))
  expect(refusals(answers)).toHaveLength(3)
  expect(answers[24]).toMatchObject({ code: 'overloaded', status: 503, retryAfter: 2 })
})

test('accepts again once the queue is shorter', async () => {
  const { clock, gate, ask, askMany } = setUp()
  askMany(22)
  await clock.advance(0)
  await clock.advance(100)
  const late = ask('late')
  expect(gate.stats()).toMatchObject({ refusedTotal: 0, queued: 19 })
  await clock.advance(1_100)
  expect(await late).toBe('late')
})

test('measures how long hashes take', async () => {
  const { clock, gate, ask, askMany } = setUp({ concurrency: 1 })
  for (let hash = 0; hash < 60; hash++) {
    const done = ask('slow', undefined, 500)
    await clock.advance(0)
    await clock.advance(500)
    await done
  }
  // A wait for two hashes of 500 ms fits into a second; one for ten hashes of the expected 100 ms would too.
  askMany(11)
  expect(gate.stats()).toMatchObject({ running: 1, queued: 2 })
})

test('a failed hash frees its place and is not measured as a fast one', async () => {
  const { clock, gate, askMany } = setUp({ concurrency: 1, fairness: true })
  for (let hash = 0; hash < 60; hash++) {
    const failure = gate.run({ client: 'a' }, () => Promise.reject(new Error('broken')))
    await expect(failure).rejects.toThrow('broken')
  }
  expect(gate.stats()).toMatchObject({ running: 0, queued: 0 })
  const asked = askMany(12)
  expect(gate.stats().queued).toBe(10)
  await clock.advance(2_000)
  expect(refusals(await Promise.all(asked))).toHaveLength(1)
})

test('with fairness one client takes a quarter of the places, and others are still accepted', async () => {
  const { clock, gate, started, ask, askMany } = setUp({ fairness: true })
  // 22 places, a quarter of them is 5.
  const flood = askMany(50, 'flood')
  expect(gate.stats()).toMatchObject({ running: 2, queued: 3, refusedTotal: 45 })
  await clock.advance(0)
  const other = ask('other', 'somebody else')
  const command = ask('command')
  expect(gate.stats()).toMatchObject({ queued: 5, refusedTotal: 45 })
  await clock.advance(300)
  expect(started.slice(5)).toEqual(['other', 'command'])
  await clock.advance(300)
  expect([await other, await command]).toEqual(['other', 'command'])
  expect(refusals(await Promise.all(flood))).toHaveLength(45)
})

test('12.A2 with fairness one name takes an eighth of the places, from however many clients', async () => {
  // 42 places, an eighth of them is 5.
  const { clock, gate, started, ask } = setUp({ fairness: true, maxWaitMs: 2_000 })
  const flood = Array.from({ length: 30 }, (_, i) => ask(`flood ${i}`, `client ${i}`, 100, 'ada'))
  expect(gate.stats()).toMatchObject({ running: 2, queued: 3, refusedTotal: 25 })
  await clock.advance(0)
  const other = ask('other', 'client 1', 100, 'bea')
  for (let step = 0; step < 4; step++) await clock.advance(100)
  expect(started.slice(5)).toEqual(['other'])
  expect(await other).toBe('other')
  expect(refusals(await Promise.all(flood))).toHaveLength(25)
  const again = ask('again', 'client 2', 100, 'ada')
  await clock.advance(0)
  await clock.advance(100)
  expect(await again).toBe('again')
})

test('a place that was freed can be taken by the same client again', async () => {
  const { clock, gate, ask, askMany } = setUp({ fairness: true })
  askMany(5, 'busy')
  await clock.advance(0)
  await clock.advance(100)
  ask('again', 'busy')
  ask('and again', 'busy')
  expect(gate.stats().refusedTotal).toBe(0)
  ask('too much', 'busy')
  expect(gate.stats().refusedTotal).toBe(1)
  await clock.advance(1_000)
  expect(gate.stats().running).toBe(0)
  askMany(5, 'busy')
  expect(gate.stats().refusedTotal).toBe(1)
})

test('a single client can use every core and have one hash waiting, however few places there are', async () => {
  // 2 run and 2 more fit: a quarter of the places would be only one.
  const { gate, askMany } = setUp({ fairness: true, expectedMs: 1_000 })
  askMany(4, 'alone')
  expect(gate.stats()).toMatchObject({ running: 2, queued: 1, refusedTotal: 1 })
})

test('without fairness one client may take all places', () => {
  const { gate, askMany } = setUp({ fairness: false })
  askMany(22, 'flood')
  expect(gate.stats().refusedTotal).toBe(0)
})

test('with no wait allowed a hash is accepted only if a core is free', () => {
  const { gate, askMany } = setUp({ maxWaitMs: 0 })
  askMany(3)
  expect(gate.stats()).toMatchObject({ running: 2, queued: 0, refusedTotal: 1 })
})

test('R1: delays only a bounded number of refusals', async () => {
  const { clock, askMany } = setUp({ maxWaitMs: 0 })
  let answered = 0
  for (const refused of askMany(2 + 4_096 + 10).slice(2)) refused.then(() => answered++)
  await clock.advance(0)
  expect(answered).toBe(10)
  await clock.advance(4_100)
  expect(answered).toBe(4_106)
  askMany(3)[2]?.then(() => answered++)
  await clock.advance(0)
  expect(answered).toBe(4_106)
})

test('R1: refuses at most a thousand a second, however many clients retry at once', async () => {
  const { clock, askMany } = setUp({ maxWaitMs: 0 })
  let answered = 0
  for (const refused of askMany(2 + 2_000).slice(2)) refused.then(() => answered++)
  await clock.advance(250)
  expect(answered).toBe(250)
  // Together every 50 ms: separate timers would wake the process and its client each time.
  await clock.advance(49)
  expect(answered).toBe(250)
  await clock.advance(1)
  expect(answered).toBe(300)
  await clock.advance(950)
  expect(answered).toBe(1_250)
  await clock.advance(750)
  expect(answered).toBe(2_000)
})
