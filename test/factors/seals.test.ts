import { expect, test } from 'bun:test'
import { MINUTE } from '../../src/lib/clock.ts'
import { begin } from '../enrollment/support.ts'
import { loggedIn, login } from '../sessions/support.ts'
import { createTestApp, testSecret } from '../support/app.ts'
import { examine } from '../support/doctor.ts'
import { describeApp } from '../support/hooks.ts'

const otherSecret = '99b0f5bdd569a4fc93059bb2079b2178540a77b7cd053be3'

describeApp('the secret of an authenticator app', {}, (app) => {
  const of = (env: Record<string, string>, seed: string) =>
    createTestApp({ databaseUrl: app.databaseUrl, clock: app.clock, env, jobs: true, seed })
  const seals = async () => (await app.rows.totpFactors.all()).map(({ secret }) => secret)

  test('P2, M8: a change of SECRET_KEY seals it anew, and its codes are accepted all the time', async () => {
    const ada = await app.signUp()
    const bea = await app.signUp('bea')
    const phone = await app.factors.addApp(ada.id)
    expect((await begin(app, bea.grant.access_token)).status).toBe(201)
    const before = await seals()
    const next = await of({ SECRET_KEY: otherSecret, SECRET_KEY_PREVIOUS: testSecret }, 'next')
    // While a server with the former SECRET_KEY runs, nothing is moved, and both accept codes.
    await next.passTime(MINUTE)
    expect(await seals()).toEqual(before)
    await loggedIn(app, ada, { otp: phone.code() })
    await loggedIn(next, ada, { otp: phone.code(1) })
    await next.passTime(4 * MINUTE)
    const after = await seals()
    expect(after.filter((seal) => before.includes(seal))).toEqual([])
    expect(new Set(after.map((seal) => seal.split('.')[1])).size).toBe(1)
    await loggedIn(next, ada, { otp: phone.code() })
    await next.close()
    const last = await of({ SECRET_KEY: otherSecret }, 'last')
    await last.clock.advance(MINUTE)
    await loggedIn(last, ada, { otp: phone.code() })
    await last.close()
  })

  test('M8: opens in its own row only, and doctor names the users of those that do not open', async () => {
    const [ada, bea, cyd] = [await app.signUp('ada'), await app.signUp('bea'), await app.signUp('cyd')]
    const [first, second] = [await app.factors.addApp(ada.id), await app.factors.addApp(bea.id)]
    const verdict = async (env: Record<string, string> = {}) =>
      (await examine(app.databaseUrl, env)).of('authenticator_apps')
    expect(await verdict()).toMatchObject([{ verdict: 'ok', message: expect.stringContaining('all 2 ') }])
    const { secret } = await app.rows.totpFactors.one({ id: first.id })
    await app.rows.totpFactors.change({ id: second.id }, { secret })
    const [found] = await verdict()
    expect(found).toMatchObject({ verdict: 'problem', message: expect.stringContaining(`by id: ${bea.id}.`) })
    // A copy of her seal does not let ada's code open the account of bea.
    expect((await login(app, bea, { otp: first.code() })).status).toBe(500)
    await loggedIn(app, ada, { otp: first.code() })
    await loggedIn(app, cyd)
    expect(await verdict({ SECRET_KEY: otherSecret })).toMatchObject([
      { verdict: 'problem', message: expect.stringContaining(`${ada.id}, ${bea.id}`) },
    ])
    await app.rows.totpFactors.remove()
    expect(await verdict()).toMatchObject([{ verdict: 'ok', message: 'There are no authenticator apps.' }])
  })
})
