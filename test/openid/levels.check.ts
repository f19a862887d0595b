import { expect, test } from 'bun:test'
import { SECOND } from '../../src/lib/clock.ts'
import { relyingParty, settle, signIn, user, wholeFlow } from '../conformance/support.ts'
import { createBrowser } from '../support/browser.ts'
import { describeApp } from '../support/hooks.ts'
import { type ClientOptions, registerClient } from './support.ts'

const issuer = 'https://op.example.com'
const methods = { aal1: 'pwd', aal2: 'pwd otp mfa', phr: 'hwk user mfa' } as const
type Level = keyof typeof methods

describeApp('levels of a sign-in', { env: { PUBLIC_URL: issuer } }, (app) => {
  /** A browser that is signed in at a level and has agreed to everything. */
  async function start(level: Level, more: ClientOptions = {}) {
    await app.signUp(user.username, user.password)
    const client = await registerClient(app, { requiresPkce: false, isTrusted: true, ...more })
    const rp = relyingParty(app, client)
    const browser = createBrowser(app)
    await browser.open('/sign-in')
    await browser.submit(user, ({ fields }) => 'password' in fields)
    const reach = async (to: Level) => {
      const { id } = await app.rows.sessions.one({ kind: 'browser', endedAt: null })
      await app.rows.sessions.change({ id }, { amr: methods[to] })
    }
    await reach(level)
    app.clock.advance(SECOND)
    return { rp, browser, client, reach }
  }
  const silent = { prompt: 'none' }
  const unmet = { error: 'unmet_authentication_requirements' }

  test.each([
    ['aal1', undefined, true],
    ['aal1', 'aal1', true],
    ['aal1', 'aal2', false],
    ['aal1', 'phr', false],
    ['aal1', 'aal2 aal1', true],
    ['aal1', 'phr aal2', false],
    ['aal1', '1 2', true],
    ['aal1', 'urn:mace:incommon:iap:silver aal2', false],
    ['aal1', 'AAL2', true],
    ['aal2', 'aal2', true],
    ['aal2', 'phr', false],
    ['aal2', 'phr aal2', true],
    ['phr', 'aal1', true],
    ['phr', 'aal2', true],
    ['phr', 'phr', true],
  ] as const)('a session at %s asked for acr_values=%s: %p', async (level, acr_values, isEnough) => {
    const { rp, browser } = await start(level)
    const answer = rp.answer(await browser.open(rp.address({ ...silent, acr_values })))
    if (!isEnough) return expect(answer).toMatchObject(unmet)
    const { tokens, claims } = await wholeFlow(rp, browser, { acr_values })
    expect(claims.acr).toBe(level)
    expect((await rp.refresh(tokens.refresh_token!)).status).toBe(200)
  })

  test('a client that requires a level takes no lower sign-in: not silently, not by a code, not by a refresh', async () => {
    const { rp, browser, client, reach } = await start('aal1', { requiredAcr: 'aal2' })
    const ask = async (more = {}) => rp.answer(await browser.open(rp.address({ ...silent, ...more })))
    for (const acr_values of [undefined, 'aal1', 'aal1 aal2']) expect(await ask({ acr_values })).toMatchObject(unmet)
    await reach('aal2')
    expect((await ask()).code).toBeString()
    expect(await ask({ acr_values: 'phr' })).toMatchObject(unmet)

    const { tokens } = await wholeFlow(rp, browser)
    const waiting = (await ask()).code!
    await app.admin.clients.update(client.id, { requiredAcr: 'phr' })
    expect(await (await rp.exchange(waiting)).json()).toMatchObject({ error: 'invalid_grant' })
    expect(await (await rp.refresh(tokens.refresh_token!)).json()).toMatchObject({ error: 'invalid_grant' })
    await app.admin.clients.update(client.id, { requiredAcr: null })
    expect((await rp.refresh(tokens.refresh_token!)).status).toBe(200)
  })

  test('acr_values that are no words are refused, and nobody is asked to sign in again for a level that is met', async () => {
    const { rp, browser } = await start('aal2')
    for (const acr_values of ['aal2  phr', ' aal2', 'aal2\tphr', `${'x'.repeat(321)}`, 'aal2 é'])
      expect([acr_values, rp.answer(await browser.open(rp.address({ acr_values })))]).toMatchObject([
        acr_values,
        { error: 'invalid_request' },
      ])
    const aged = await browser.open(rp.address({ acr_values: 'aal2', max_age: '3600' }))
    expect(rp.answer(aged).code).toBeString()
    app.clock.advance(3_601 * SECOND)
    const asked = await browser.open(rp.address({ acr_values: 'aal2', max_age: '3600' }))
    expect(asked.forms.some(({ fields }) => 'password' in fields)).toBe(true)
    // The password alone is no second factor.
    expect((await settle(browser, await signIn(browser, asked))).title).toBe('Protect your account')
  })

  test('a browser without a session is asked to sign in first', async () => {
    const { rp, browser } = await start('aal2')
    browser.forget()
    expect(rp.answer(await browser.open(rp.address({ ...silent, acr_values: 'aal2' })))).toMatchObject({
      error: 'login_required',
    })
  })
})
