import { expect, test } from 'bun:test'
import { describeApp } from '../support/hooks.ts'
import { goesOn, grant, refreshAt, signIn } from './kinds.ts'
import { refresh } from './support.ts'

describeApp('sessions of browsers and clients', {}, (app) => {
  test('a cookie finds its session, and the sessions of clients in it end with it unless they are offline', async () => {
    const user = await app.signUp()
    const browser = await signIn(app, user)
    const found = await app.process.sessions.findByCookie(browser.cookie)
    expect(found).toMatchObject({ id: browser.id, user: { id: user.id }, isRemembered: false, amr: ['pwd'] })
    const online = await grant(app, user, { parent: browser })
    const offline = await grant(app, user, { parent: browser, scope: 'openid offline_access' })
    const next = await refreshAt(app, online.token)
    expect(next).toMatchObject({ generation: 1, session: { id: online.id, scope: 'openid' } })
    expect((await refresh(app, next.refreshToken)).status).toBe(401)
    await app.process.sessions.endBrowser(found!, '192.0.2.7')
    expect(await app.process.sessions.findByCookie(browser.cookie)).toBeUndefined()
    expect([await goesOn(app, online), await goesOn(app, offline)]).toEqual([false, true])
    await expect(refreshAt(app, next.refreshToken)).rejects.toMatchObject({ code: 'invalid_refresh_token' })
    await refreshAt(app, offline.token)
  })

  test('a new sign-in of the same user takes the sessions of clients along; that of another user ends them', async () => {
    const [ada, bob] = [await app.signUp('ada'), await app.signUp('bob')]
    const first = await signIn(app, ada)
    const online = await grant(app, ada, { parent: first })
    const second = await signIn(app, ada, { replaces: first.id })
    expect(await app.process.sessions.findByCookie(first.cookie)).toBeUndefined()
    expect((await app.rows.sessions.one({ id: online.id })).parentId).toBe(second.id)
    const next = await refreshAt(app, online.token)
    await signIn(app, bob, { replaces: second.id })
    expect(await app.process.sessions.findByCookie(second.cookie)).toBeUndefined()
    await expect(refreshAt(app, next.refreshToken)).rejects.toMatchObject({ code: 'invalid_refresh_token' })
  })
})
