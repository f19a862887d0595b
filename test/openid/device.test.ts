import { expect, test } from 'bun:test'
import { MINUTE, SECOND } from '../../src/lib/clock.ts'
import { settle, user } from '../conformance/support.ts'
import { createBrowser } from '../support/browser.ts'
import { describeApp } from '../support/hooks.ts'
import { type ClientOptions, registerClient } from './support.ts'

const grant = 'urn:ietf:params:oauth:grant-type:device_code'

describeApp('the sign-in of a device', { env: { PUBLIC_URL: 'https://op.example.com' } }, (app) => {
  interface Codes {
    device_code: string
    user_code: string
    verification_uri: string
    verification_uri_complete: string
    expires_in: number
    interval: number
  }

  async function start() {
    await app.signUp(user.username, user.password)
    const options: ClientOptions = { name: 'Television', isPublic: true, grantTypes: ['refresh_token', grant] }
    const client = await registerClient(app, options)
    const ask = async (scope = 'openid profile'): Promise<Codes> => {
      const answer = await app.request('POST', '/device_authorization', { form: { client_id: client.id, scope } })
      expect(answer.status).toBe(200)
      return (await answer.json()) as Codes
    }
    const poll = async ({ device_code }: Codes, id = client.id) => {
      const answer = await app.request('POST', '/token', { form: { grant_type: grant, client_id: id, device_code } })
      return { status: answer.status, body: (await answer.json()) as Record<string, string> }
    }
    return { client, ask, poll, browser: createBrowser(app) }
  }

  test('RFC 8628: waits, is allowed on the page, and gets its tokens once', async () => {
    const { ask, poll, browser } = await start()
    const codes = await ask()
    expect({ ...codes }).toEqual({
      device_code: expect.stringMatching(/^kwv_[\w-]{43}$/),
      user_code: expect.stringMatching(/^[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}$/),
      verification_uri: 'https://op.example.com/device',
      verification_uri_complete: `https://op.example.com/device?user_code=${codes.user_code}`,
      expires_in: 600,
      interval: 5,
    })
    expect(await poll(codes)).toMatchObject({ status: 400, body: { error: 'authorization_pending' } })
    const form = await settle(browser, await browser.open(codes.verification_uri_complete))
    expect(form.html).toContain(codes.user_code)
    const question = await browser.submit()
    expect(question.html).toContain('Television')
    expect((await browser.submit({}, ({ fields }) => fields.decision === 'allow')).status).toBe(200)
    app.clock.advance(5 * SECOND)
    const tokens = await poll(codes)
    expect(tokens).toMatchObject({
      status: 200,
      body: {
        token_type: 'Bearer',
        scope: 'openid profile',
        id_token: expect.any(String),
        refresh_token: expect.any(String),
      },
    })
    app.clock.advance(5 * SECOND)
    expect(await poll(codes)).toMatchObject({ status: 400, body: { error: 'invalid_grant' } })
    expect((await app.request('GET', '/userinfo', { token: tokens.body.access_token! })).status).toBe(200)
  })

  test('a device that asks too often has to wait longer each time', async () => {
    const { ask, poll } = await start()
    const codes = await ask()
    await poll(codes)
    expect(await poll(codes)).toMatchObject({ body: { error: 'slow_down' } })
    app.clock.advance(9 * SECOND)
    expect(await poll(codes)).toMatchObject({ body: { error: 'slow_down' } })
    app.clock.advance(15 * SECOND)
    expect(await poll(codes)).toMatchObject({ body: { error: 'authorization_pending' } })
  })

  test('a refused, an expired and a foreign device get no tokens', async () => {
    const { ask, poll, browser } = await start()
    const refused = await ask()
    await settle(browser, await browser.open(refused.verification_uri_complete))
    await browser.submit()
    await browser.submit({}, ({ fields }) => fields.decision === 'deny')
    expect(await poll(refused)).toMatchObject({ status: 400, body: { error: 'access_denied' } })
    const late = await ask()
    app.clock.advance(11 * MINUTE)
    expect(await poll(late)).toMatchObject({ status: 400, body: { error: 'expired_token' } })
    const other = await registerClient(app, { name: 'Other', isPublic: true, grantTypes: [grant] })
    expect(await poll(await ask(), other.id)).toMatchObject({ status: 400, body: { error: 'invalid_grant' } })
  })

  test('a code belongs to the browser session that typed it, and nothing is allowed without the page', async () => {
    const { ask, poll, browser } = await start()
    const codes = await ask()
    await settle(browser, await browser.open('/device'))
    const wrong = await browser.submit({ user_code: 'BBBB-BBBB' })
    expect(wrong.status).toBe(400)
    await browser.submit({ user_code: codes.user_code.toLowerCase().replace('-', ' ') })
    const { action, fields } = browser.screen().forms.find((form) => form.fields.decision === 'allow')!

    await app.signUp('mallory')
    const thief = createBrowser(app)
    await thief.open('/device')
    await thief.submit({ username: 'mallory', password: 'correct horse battery' })
    await thief.submit({ user_code: codes.user_code })
    expect(thief.screen().status).toBe(400)
    expect((await thief.submit({ ...fields, form: thief.screen().forms[0]!.fields.form! })).status).toBe(400)
    expect(
      (await thief.postFromElsewhere(new URL(action, 'https://op.example.com/device').pathname, fields)).status,
    ).toBe(403)
    expect(await poll(codes)).toMatchObject({ body: { error: 'authorization_pending' } })
  })

  test('of 24 polls at once after the consent one gets tokens', async () => {
    const { ask, poll, browser } = await start()
    const codes = await ask()
    await settle(browser, await browser.open(codes.verification_uri_complete))
    await browser.submit()
    await browser.submit({}, ({ fields }) => fields.decision === 'allow')
    const polls = await Promise.all(Array.from({ length: 24 }, () => poll(codes)))
    expect(polls.filter(({ status }) => status === 200).length).toBe(1)
  })
})
