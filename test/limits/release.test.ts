import { afterEach, beforeEach, expect, spyOn, test } from 'bun:test'
import { KeywardError } from '../../src/errors.ts'
import * as auditStore from '../../src/features/audit/store.ts'
import type { TestApp } from '../support/app.ts'
import { describeEachDialect } from '../support/dialects.ts'
import { guess, guesses, limitedApp, password, times } from './support.ts'

/** A right guess is taken back in the transaction that it leads to, which may fail. */
describeEachDialect('a right password whose session cannot begin', (dialect) => {
  let app: TestApp
  const peer = '198.51.100.1'
  beforeEach(async () => {
    app = await limitedApp({ dialect, env: { LIMITS: 'login.account_prefix=5/1d' } })
    await app.signUp('ada', password)
  })
  afterEach(() => app.close())

  test.each([
    ['a defect', () => new Error('out of order'), 500],
    ['a database that is away', () => new KeywardError('database_unavailable'), 503],
  ])('for %s costs no attempt, and nobody waits for it', async (_, error, status) => {
    const insert = spyOn(auditStore, 'insert').mockImplementation(() => Promise.reject(error()))
    // More at once than there are places: who finds none waits for the others, and each comes to an end.
    const answers = await Promise.all(Array.from({ length: 12 }, () => guess(app, { username: 'ada', password, peer })))
    insert.mockRestore()
    expect(answers.map((answer) => answer.status)).toEqual(times(12, status))
    expect(await guesses(app, 6, { username: 'ada', peer })).toEqual([...times(5, 401), 429])
  })

  test('since the account was closed meanwhile is refused as ever', async () => {
    const { verify } = app.deps.passwords
    const { q, t } = app.deps.store
    app.deps.passwords.verify = async (...given) => {
      const verdict = await verify(...given)
      await q.update(t.users).set({ isActive: false })
      return verdict
    }
    expect(await guesses(app, 3, { username: 'ada', password, peer })).toEqual(times(3, 401))
    expect(await q.select().from(t.sessions)).toHaveLength(1)
  })
})
