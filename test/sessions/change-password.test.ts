import { expect, test } from 'bun:test'
import type { SignedUp, TestApp } from '../support/app.ts'
import { describeEachDialect } from '../support/dialects.ts'
import { withApp } from '../support/hooks.ts'
import { expectRefusal } from '../support/refusal.ts'
import { standIn } from '../support/replace.ts'
import { audit, loggedIn, login, me, type Pair, refresh, refreshed } from './support.ts'

const next = 'a new and better password'
const pairOf = ({ grant }: SignedUp): Pair => grant as unknown as Pair

const change = (app: TestApp, pair: Pair, current_password: string, new_password: string) =>
  app.request('PUT', '/users/me/password', { token: pair.access_token, json: { current_password, new_password } })

describeEachDialect('changing the password', (dialect) => {
  test('F8: ends all other sessions, and keeps the current one', () =>
    withApp({ dialect }, async (app) => {
      const [ada, bea] = [await app.signUp('ada'), await app.signUp('bea')]
      const other = await loggedIn(app, ada)
      const done = await change(app, pairOf(ada), ada.password, next)
      expect([done.status, await done.text()]).toEqual([204, ''])
      expect(await me(app, pairOf(ada).access_token)).toBe(200)
      await refreshed(app, pairOf(ada).refresh_token)
      expect(await me(app, other.access_token)).toBe(401)
      expect((await refresh(app, other.refresh_token)).status).toBe(401)
      await expectRefusal(await login(app, ada), 'invalid_credentials')
      await loggedIn(app, { ...ada, password: next })
      expect(await me(app, pairOf(bea).access_token)).toBe(200)
      expect(await audit(app, 'password.changed')).toHaveLength(1)
    }))

  test('A9: requires the current password and a new one that the policy accepts', () =>
    withApp({ dialect }, async (app) => {
      const ada = await app.signUp()
      const other = await loggedIn(app, ada)
      for (const wrong of ['', 'wrong password', ada.password.toUpperCase(), `${ada.password} `])
        await expectRefusal(await change(app, pairOf(ada), wrong, next), 'invalid_password')
      for (const bad of ['short', 'password123', ada.email, 'x'.repeat(257)])
        await expectRefusal(await change(app, pairOf(ada), ada.password, bad), 'validation_failed')
      expect(await me(app, other.access_token)).toBe(200)
      await loggedIn(app, ada)
      expect(await audit(app, 'password.changed')).toEqual([])
    }))

  test('several times in parallel with the same current password succeeds once', () =>
    withApp({ dialect }, async (app) => {
      const ada = await app.signUp()
      const pairs = await Promise.all(Array.from({ length: 6 }, () => loggedIn(app, ada)))
      const answers = await Promise.all(pairs.map((pair, at) => change(app, pair, ada.password, `${next} ${at}`)))
      const statuses = answers.map(({ status }) => status)
      expect(statuses.filter((status) => status === 204)).toHaveLength(1)
      for (const status of statuses) expect([204, 401, 403]).toContain(status)
      const winner = statuses.indexOf(204)
      for (const [at, pair] of pairs.entries()) expect(await me(app, pair.access_token)).toBe(at === winner ? 200 : 401)
      await loggedIn(app, { ...ada, password: `${next} ${winner}` })
    }))

  const passwords = standIn<'passwords'>()

  /** Lets the change verify the current password, and delays the rest until `meanwhile` is done. */
  const changeDuring = async (app: TestApp, ada: SignedUp, meanwhile: () => Promise<unknown>): Promise<Response> => {
    const hashing = Promise.withResolvers<void>()
    const release = Promise.withResolvers<void>()
    passwords.change(({ hash }) => ({
      async hash(...input) {
        hashing.resolve()
        await release.promise
        return hash(...input)
      },
    }))
    const answer = change(app, pairOf(ada), ada.password, next)
    await hashing.promise
    passwords.restore()
    await meanwhile()
    release.resolve()
    return answer
  }

  test('fails if the password was set, the session ended or the account deactivated meanwhile', () =>
    withApp({ dialect, replace: { passwords: passwords.replacement } }, async (app) => {
      const set = await app.signUp('ada')
      const answer = await changeDuring(app, set, () => app.admin.setPassword(set.id, 'set by the admin'))
      await expectRefusal(answer, 'invalid_password')
      await loggedIn(app, { ...set, password: 'set by the admin' })

      const ended = await app.signUp('bea')
      const owner = await loggedIn(app, ended)
      const late = await changeDuring(app, ended, () =>
        app.request('DELETE', '/users/me/sessions?except=current', { token: owner.access_token }),
      )
      await expectRefusal(late, 'invalid_token')
      expect(await me(app, owner.access_token)).toBe(200)
      await loggedIn(app, ended)

      const closed = await app.signUp('cyd')
      await expectRefusal(await changeDuring(app, closed, () => app.admin.deactivate(closed.id)), 'invalid_token')
      expect(await audit(app, 'password.changed')).toEqual([])
    }))
})
