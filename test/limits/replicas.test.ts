import { beforeEach, expect, test } from 'bun:test'
import { SECOND } from '../../src/lib/clock.ts'
import type { TestApp } from '../support/app.ts'
import { describeEachDialect } from '../support/dialects.ts'
import { appPerTest } from '../support/hooks.ts'
import { type Bcrypt, passwordsWith, standIn } from '../support/replace.ts'
import { type Answer, guess, limited, limitedApp, password, times } from './support.ts'

describeEachDialect('two processes on one database', (dialect) => {
  const passwords = standIn<'passwords'>()
  // No place comes free while the tests' clocks advance.
  const env = { LIMITS: 'login.name_prefix=5/1d,login.account_prefix=10/1d' }
  const app = appPerTest(limited({ dialect, env, replace: { passwords: passwords.replacement } }), () => two.close())
  let two: TestApp
  /** The passwords that the second process verifies at this moment. */
  let verifyingAtTwo = 0
  const countedBcrypt: Bcrypt = {
    hash: (text, cost) => Bun.password.hash(text, { algorithm: 'bcrypt', cost }),
    async verify(text, hash) {
      verifyingAtTwo++
      try {
        return await Bun.password.verify(text, hash)
      } finally {
        verifyingAtTwo--
      }
    },
  }
  beforeEach(async () => {
    const replace = { passwords: passwordsWith({ bcrypt: countedBcrypt }) }
    two = await limitedApp({ dialect, env, seed: 'two', databaseUrl: app.databaseUrl, clock: app.clock, replace })
    await app.signUp('ada', password)
  })

  /** Makes the first process verify five passwords for ada, until `decide` is called. */
  async function fiveUndecided(given: string) {
    const held = Promise.withResolvers<void>()
    const allVerify = Promise.withResolvers<void>()
    let verifying = 0
    passwords.change(({ verify }) => ({
      async verify(...args) {
        if (++verifying === 5) allVerify.resolve()
        await held.promise
        return verify(...args)
      },
    }))
    const answers = Promise.all(Array.from({ length: 5 }, () => guess(app, { username: 'ada', password: given })))
    await allVerify.promise
    return {
      async decide() {
        held.resolve()
        return (await answers).map(({ status }) => status)
      },
    }
  }

  /** Advances the clock until the answers are there. */
  async function whileTimePasses(promise: Promise<Answer[]>): Promise<number[]> {
    let answers: Answer[] | undefined
    void promise.then((all) => {
      answers = all
    })
    // In small steps: an attempt that waits for the SQLite file gives up after three seconds of this clock.
    while (!answers) {
      // bcrypt takes real time, in threads. The clock stands still meanwhile, or a busy machine would make attempts wait
      // longer than they may.
      await app.clock.advance(verifyingAtTwo === 0 ? SECOND / 100 : 0)
      await app.rows.limits.all()
    }
    return answers.map(({ status }) => status)
  }

  /** Gives the attempts of the second process three seconds and many turns to find no place. They wait for six. */
  async function meetsUndecided() {
    for (let i = 0; i < 30; i++) {
      await app.clock.advance(SECOND / 10)
      await app.rows.limits.all()
    }
  }

  const rightAtTwo = (count: number) =>
    Promise.all(Array.from({ length: count }, () => guess(two, { username: 'ada', password })))

  test('12.A9 refuse no right password because the other has not decided on right ones yet', async () => {
    const undecided = await fiveUndecided(password)
    const answers = rightAtTwo(10)
    await meetsUndecided()
    expect(await undecided.decide()).toEqual(times(5, 200))
    expect(await whileTimePasses(answers)).toEqual(times(10, 200))
    for (const each of [app, two]) expect((await guess(each, { username: 'ada', password })).status).toBe(200)
  })

  test('12.A9 refuse a right password after wrong ones at the other, once these are decided', async () => {
    const undecided = await fiveUndecided('wrong')
    const answers = rightAtTwo(10)
    await meetsUndecided()
    expect(await undecided.decide()).toEqual(times(5, 401))
    expect(await whileTimePasses(answers)).toEqual(times(10, 429))
  })
})
