import { beforeEach, expect, test } from 'bun:test'
import { KeywardError } from '../../src/errors.ts'
import { describeEachDialect } from '../support/dialects.ts'
import { appPerTest } from '../support/hooks.ts'
import { standIn, watchStatements } from '../support/replace.ts'
import { guess, guesses, limited, password, times } from './support.ts'

/** A right password gives its places back in the transaction of the login, which may fail. */
describeEachDialect('a right password whose session cannot be created', (dialect) => {
  const peer = '198.51.100.1'
  const passwords = standIn<'passwords'>()
  /** The error of every write to the audit log. */
  let noAudit: Error | undefined
  const store = watchStatements((sql) => {
    if (noAudit && sql.startsWith('insert into "audit_events"')) throw noAudit
  })
  const env = { LIMITS: 'login.name_prefix=5/1d,login.account_prefix=10/1d' }
  const app = appPerTest(limited({ dialect, env, replace: { store, passwords: passwords.replacement } }))
  beforeEach(async () => {
    await app.signUp('ada', password)
  })

  test.each([
    ['an internal error', () => new Error('out of order'), 500],
    ['an unavailable database', () => new KeywardError('database_unavailable'), 503],
  ])('for %s is not counted as an attempt, and delays nobody', async (_, error, status) => {
    noAudit = error()
    // More in parallel than there are places: the others wait, and each finishes.
    const answers = await Promise.all(Array.from({ length: 12 }, () => guess(app, { username: 'ada', password, peer })))
    noAudit = undefined
    expect(answers.map((answer) => answer.status)).toEqual(times(12, status))
    expect(await guesses(app, 6, { username: 'ada', peer })).toEqual([...times(5, 401), 429])
  })

  test('because the account was deactivated meanwhile is refused like a wrong one', async () => {
    passwords.change(({ verify }) => ({
      async verify(...given) {
        const verdict = await verify(...given)
        await app.rows.users.change({}, { isActive: false })
        return verdict
      },
    }))
    expect(await guesses(app, 3, { username: 'ada', password, peer })).toEqual(times(3, 401))
    expect(await app.rows.sessions.count()).toBe(1)
  })
})
