import { expect, test } from 'bun:test'
import type { TestApp } from '../support/app.ts'
import { describeEachDialect } from '../support/dialects.ts'
import type { SmtpSink } from '../support/smtp.ts'
import { appsWithMail, logIn, tokenIn } from '../verification/support.ts'
import { attributes, heading, submit } from './support.ts'

describeEachDialect('the page to prove an address', (dialect) => {
  const open = appsWithMail()
  const withMail = (env: Record<string, string> = {}) => open(dialect, { env })
  async function verifyToken(app: TestApp, sink: SmtpSink, email: string): Promise<string> {
    expect((await app.request('POST', '/email/verification', { json: { email } })).status).toBe(202)
    await app.process.deliverMail()
    return tokenIn(sink.received.at(-1)!)
  }

  test('13.5 H9: shows the masked account and changes nothing; the password of the account proves the address', async () => {
    const { app, sink } = await withMail()
    const { email, id, password, grant } = await app.signUp('ada')
    const token = await verifyToken(app, sink, email)
    for (let i = 0; i < 20; i++)
      for (const method of ['GET', 'HEAD'])
        expect((await app.request(method, `/verify?token=${token}`)).status).toBe(200)
    const html = await (await app.request('GET', `/verify?token=${token}`)).text()
    expect(html).toContain('a•••@e•••.com')
    expect(html).not.toContain(email)
    expect(attributes(html, 'autocomplete')).toEqual(['username', 'current-password', 'username', 'new-password'])
    expect((await app.rows.users.one({ id })).emailVerifiedAt).toBeNull()
    const done = await submit(app, '/verify', { token, password })
    expect([done.status, done.headers.get('location')]).toEqual([303, 'verify?done'])
    expect((await app.rows.users.one({ id })).emailVerifiedAt).toBe(app.clock.now())
    expect((await app.request('GET', '/users/me', { token: grant.access_token })).status).toBe(200)
    expect(await heading(await app.request('GET', '/verify?done'))).toEqual([200, 'Your address is confirmed'])
    for (const answer of [
      await app.request('GET', `/verify?token=${token}`),
      await submit(app, '/verify', { token, password }),
      await submit(app, '/verify', { token }),
      await submit(app, '/verify', { token: 'kwm_x', new_password: 'short' }),
    ])
      expect(await heading(answer)).toEqual([400, 'This link does not work any more'])
  })

  test('13.5 a wrong, a missing and a weak password are said at their field, and the link stays good', async () => {
    const { app, sink } = await withMail({ RATE_LIMIT: 'on' })
    const { email, id } = await app.signUp('ada')
    const token = await verifyToken(app, sink, email)
    const refused = async (form: Record<string, string>, field: string): Promise<[number, string | undefined]> => {
      const answer = await submit(app, '/verify', { token, ...form })
      const html = await answer.text()
      expect(attributes(html, 'aria-invalid')).toHaveLength(1)
      expect(html).toMatch(new RegExp(`<input[^>]* id="${field}"[^>]* autofocus`))
      return [answer.status, new RegExp(`id="${field}-error">(.*?)<`).exec(html)?.[1]]
    }
    expect(await refused({ password: 'not it' }, 'password')).toEqual([403, 'This is not the password of the account.'])
    // An empty field is not counted as a wrong password.
    for (let i = 0; i < 10; i++)
      expect(await refused({ password: '' }, 'password')).toEqual([422, 'Enter the password of the account.'])
    expect(await refused({}, 'password')).toEqual([422, 'Enter the password of the account.'])
    expect(await refused({ new_password: '' }, 'new_password')).toEqual([
      422,
      'The password must have at least 8 characters.',
    ])
    const open = await (await submit(app, '/verify', { token, new_password: 'short' })).text()
    expect(open).toMatch(/<details[^>]* open/)
    expect((await app.rows.users.one({ id })).emailVerifiedAt).toBeNull()
    expect((await submit(app, '/verify', { token, new_password: 'a longer and better one' })).status).toBe(303)
    expect((await logIn(app, 'ada', 'a longer and better one')).status).toBe(200)
  })

  test('13.6 completes a registration, with another username when that was taken meanwhile', async () => {
    const { app, sink } = await withMail({ REQUIRE_EMAIL_VERIFICATION: 'true' })
    const password = 'correct horse battery'
    const register = async (username: string, email: string) => {
      expect((await app.request('POST', '/register', { json: { username, email, password } })).status).toBe(202)
      await app.process.deliverMail()
      return tokenIn(sink.received.at(-1)!)
    }
    const [token, other] = [await register('ada', 'ada@example.com'), await register('ada', 'bob@example.com')]
    expect((await submit(app, '/verify', { token, password })).status).toBe(303)
    expect(await heading(await app.request('GET', `/verify?token=${other}`))).toEqual([200, 'Confirm your address'])
    const taken = await submit(app, '/verify', { token: other, password })
    const html = await taken.text()
    expect(taken.status).toBe(409)
    expect(html).toMatch(/<input type="text" id="username" name="username"[^>]* aria-invalid="true" autofocus/)
    expect(html).toContain('Somebody has taken this username meanwhile.')
    expect(html).toContain('value="ada"')
    const wrong = await submit(app, '/verify', { token: other, password: 'not the password', username: 'carl' })
    // The new username stays in its field.
    expect([wrong.status, (await wrong.text()).includes('value="carl"')]).toEqual([403, true])
    const invalid = await submit(app, '/verify', { token: other, password, username: 'no name' })
    expect([invalid.status, (await invalid.text()).includes('This username cannot be used.')]).toEqual([422, true])
    expect((await submit(app, '/verify', { token: other, password, username: 'bob' })).status).toBe(303)
    expect((await logIn(app, 'bob', password)).status).toBe(200)
  })
})
