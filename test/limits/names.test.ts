import { beforeAll, beforeEach, expect, test } from 'bun:test'
import { DAY, HOUR, MINUTE, SECOND } from '../../src/lib/clock.ts'
import { describeEachDialect } from '../support/dialects.ts'
import { appPerSuite } from '../support/hooks.ts'
import { guess, limited, password } from './support.ts'

/** Nobody may find out by guessing whether an address and a username belong to one account. */
describeEachDialect('12.A8 the refusals for two names', (dialect) => {
  const app = appPerSuite(limited({ dialect }))
  beforeAll(async () => {
    await app.signUp('ada', password)
    await app.signUp('bea', password)
  })
  beforeEach(async () => {
    await app.rows.limits.remove()
    await app.clock.advance(MINUTE)
  })

  const pairs = [
    ['ada', 'ada@example.com'],
    ['ada', 'bea@example.com'],
    ['ada', 'nobody@example.com'],
    ['nobody', 'bea@example.com'],
    ['nobody', 'nobody@example.com'],
  ] satisfies [string, string][]

  /** What an attacker sees who runs `attack` with each pair of names. */
  async function seen(attack: (names: readonly [string, string], see: (one: See) => Promise<number>) => Promise<void>) {
    const all: string[][] = []
    for (const pair of pairs) {
      await app.rows.limits.remove()
      await app.clock.advance(MINUTE)
      const answers: string[] = []
      await attack(pair, async (one) => {
        const { status, retryAfter, limit } = await guess(app, one)
        answers.push([pair.indexOf(one.username) + 1, status, retryAfter, limit].join(' '))
        return retryAfter
      })
      all.push(answers)
    }
    return all
  }
  type See = { username: string; peer: string }
  const expectSame = (all: string[][]) => {
    for (const answers of all) expect(answers).toEqual(all[0]!)
  }

  test('are the same whether or not they belong to one account, after six guesses', async () => {
    const all = await seen(async (names, see) => {
      for (const username of names) for (let i = 0; i < 4; i++) await see({ username, peer: '198.51.100.7' })
    })
    expectSame(all)
    expect(all[0]).toEqual([
      ...['1 401 0 ', '1 401 0 ', '1 401 0 ', '1 429 20 login.name_prefix'],
      ...['2 401 0 ', '2 401 0 ', '2 401 0 ', '2 429 20 login.name_prefix'],
    ])
  })

  test('are the same from one network for a day, at every second at which a guess is possible', async () => {
    const all = await seen(async (names, see) => {
      const end = app.clock.now() + DAY
      while (app.clock.now() < end) {
        const waits: number[] = []
        for (const username of names) waits.push(await see({ username, peer: '198.51.100.7' }))
        app.clock.setWall(app.clock.now() + Math.min(...waits) * SECOND)
      }
    })
    expectSame(all)
    expect(new Set(all[0]!.map((answer) => answer.split(' ')[3]))).toEqual(new Set(['', 'login.name_prefix']))
  })

  test('are the same from many networks for half a day', async () => {
    let bots = 0
    const all = await seen(async (names, see) => {
      const end = app.clock.now() + DAY / 2
      while (app.clock.now() < end) {
        const waits: number[] = []
        for (const username of names) waits.push(await see({ username, peer: `203.0.${bots++ % 200}.1` }))
        app.clock.setWall(app.clock.now() + Math.min(...waits) * SECOND)
      }
    })
    expectSame(all)
    expect(new Set(all[0]!.map((answer) => answer.split(' ')[3]))).toEqual(new Set(['', 'login.name']))
  })

  test('are the same in the count of names that one network tries', async () => {
    expectSame(
      await seen(async ([one, two], see) => {
        const peer = '198.51.100.8'
        for (let i = 0; i < 18; i++) await guess(app, { username: `other${i}`, peer })
        for (const username of [one, two, 'another1', 'another2']) await see({ username, peer })
        await app.clock.advance(HOUR)
      }),
    )
  })
})
