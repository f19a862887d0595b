import { beforeEach, expect, test } from 'bun:test'
import { loggedIn, me, type Pair, refresh, refreshed, sessionIdOf } from '../sessions/support.ts'
import type { SignedUp } from '../support/app.ts'
import { keyward } from '../support/cli.ts'
import { describeEachDialect } from '../support/dialects.ts'
import { appPerTest } from '../support/hooks.ts'

describeEachDialect('sessions', (dialect) => {
  const app = appPerTest({ dialect })
  let ada: SignedUp
  beforeEach(async () => {
    ada = await app.signUp('ada')
  })

  const alive = async (pair: Pair): Promise<boolean> => {
    const access = (await me(app, pair.access_token)) === 200
    const renewed = await refresh(app, pair.refresh_token)
    // Neither without the other.
    expect(renewed.status).toBe(access ? 200 : 401)
    return access
  }
  const cli = (argv: string[], secret = '') => keyward(argv, { databaseUrl: app.databaseUrl, clock: app.clock, secret })

  test.each([
    ['users set-password', () => cli(['users', 'set-password', 'ada'], 'set by somebody else')],
    ['users deactivate', () => cli(['users', 'deactivate', 'ada'])],
    ['users delete', () => cli(['users', 'delete', 'ada', '--yes'])],
  ])('E13, F8: keyward %s ends every session of the account at once, and no other', async (_, act) => {
    const bea = await app.signUp('bea')
    const pairs = [await loggedIn(app, ada), await loggedIn(app, ada)]
    expect((await act()).code).toBe(0)
    for (const pair of pairs) expect(await alive(pair)).toBe(false)
    expect(await alive(bea.grant as unknown as Pair)).toBe(true)
  })

  test('F9: a thousand refresh tokens are all different and random', async () => {
    const chain = async (): Promise<string[]> => {
      const tokens = [(await loggedIn(app, ada)).refresh_token]
      while (tokens.length < 50) tokens.push((await refreshed(app, tokens.at(-1)!)).refresh_token)
      return tokens
    }
    const tokens = (await Promise.all(Array.from({ length: 20 }, chain))).flat()
    // The last 32 bytes are a MAC; no two MACs begin or end alike.
    const macs = tokens.map((token) => Buffer.from(token.slice(4), 'base64url').subarray(-32).toString('hex'))
    for (const part of [macs.map((mac) => mac.slice(0, 16)), macs.map((mac) => mac.slice(-16))])
      expect(new Set(part).size).toBe(1_000)
  })

  test('G3: each login has a new session id, whatever id the client sends', async () => {
    const sid = sessionIdOf(await loggedIn(app, ada))
    const ids = new Set([sid])
    for (let at = 0; at < 10; at++) {
      const answer = await app.request('POST', `/token?sid=${sid}`, {
        form: { username: 'ada', password: ada.password, sid, session_id: sid, state: sid },
        headers: { cookie: `sid=${sid}; session=${sid}`, 'x-session-id': sid },
      })
      ids.add(sessionIdOf((await answer.json()) as Pair))
    }
    expect(ids.size).toBe(11)
  })
})
