import { expect, test } from 'bun:test'
import { person } from '../administration/support.ts'
import { bob, canLogIn, invite } from '../invitations/support.ts'
import { describeEachDialect } from '../support/dialects.ts'
import { appsWithMail } from '../verification/support.ts'
import { attributes, heading, submit } from './support.ts'

describeEachDialect('the page of an invitation', (dialect) => {
  const open = appsWithMail()
  const password = 'a longer and better one'

  test('14.1 H9: 20 GET and 20 HEAD and refused forms use nothing up; the form sets username and password', async () => {
    const { app, sink } = await open(dialect, { env: { APP_URL: 'https://app.example.com/' } })
    const boss = await person(app, 'boss', 'admin')
    const { id, token } = await invite(app, sink, boss.token)
    const before = [await app.rows.proofs.all({}), await app.rows.users.one({ id })]
    for (let i = 0; i < 20; i++) {
      expect((await app.request('GET', `/invite?token=${token}`)).status).toBe(200)
      expect((await app.request('HEAD', `/invite?token=${token}`)).status).toBe(200)
    }
    const page = await app.request('GET', `/invite?token=${token}`, { headers: { 'accept-language': 'fr' } })
    expect(page.headers.get('content-security-policy')).toStartWith("default-src 'none'")
    const html = await page.text()
    expect(html).toContain('B•••@e•••.com')
    expect(html).not.toContain(bob.email)
    expect(html).not.toContain('<script')
    expect(attributes(html, 'autocomplete')).toEqual(['username', 'new-password'])
    expect(html).toMatch(/<input type="text"[^>]*value="bob"[^>]*\/>/)
    expect(html).toContain('<h1>Accepter l’invitation</h1>')
    const form = { token, username: 'robert', password }
    expect((await submit(app, '/invite', form, { 'sec-fetch-site': 'cross-site' })).status).toBe(403)
    const errors: [object, number, string][] = [
      [{ password: 'short' }, 422, 'id="password-error"'],
      [{ password: 'robert' }, 422, 'id="password-error"'],
      [{ username: 'é', password: 'short' }, 422, 'id="username-error"'],
      [{ username: 'support' }, 422, 'id="username-error"'],
      [{ username: 'BOSS' }, 409, 'Somebody has this username already'],
    ]
    for (const [wrong, status, shown] of errors) {
      const answer = await submit(app, '/invite', { ...form, ...wrong })
      const text = await answer.text()
      expect([wrong, answer.status, text.includes(shown)]).toEqual([wrong, status, true])
      expect(text.match(/ autofocus/g)).toHaveLength(1)
      expect(text).not.toContain('value="short"')
    }
    expect([await app.rows.proofs.all({}), await app.rows.users.one({ id })]).toEqual(before)
    const done = await submit(app, '/invite', form, { 'accept-language': 'ja' })
    expect([done.status, done.headers.get('location')]).toEqual([303, 'invite?done'])
    expect(await heading(await app.request('GET', '/invite?done'))).toEqual([200, 'Your account is ready'])
    expect(await canLogIn(app, 'robert', password)).toBe(true)
    expect((await app.rows.users.one({ id })).locale).toBe('ja')
    for (const query of [`?token=${token}`, '?token=kwm_x', '?token=', ''])
      expect(await heading(await app.request('GET', `/invite${query}`))).toEqual([
        400,
        'This link does not work any more',
      ])
    expect(await heading(await submit(app, '/invite', form))).toEqual([400, 'This link does not work any more'])
  })
})
