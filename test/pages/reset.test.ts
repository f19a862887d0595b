import { expect, test } from 'bun:test'
import type { TestAppOptions } from '../support/app.ts'
import { describeEachDialect } from '../support/dialects.ts'
import { appsPerTest } from '../support/hooks.ts'
import { appsWithMail, logIn, resetToken, tokenIn } from '../verification/support.ts'
import { attributes, heading, submit } from './support.ts'

describeEachDialect('the pages to reset a password', (dialect) => {
  const apps = appsPerTest()
  const open = appsWithMail()
  const withMail = (more: TestAppOptions = {}) =>
    open(dialect, { ...more, env: { APP_URL: 'https://app.example.com/', ...more.env } })
  const password = 'a longer and better one'

  test('13.5 from the forgotten password to the new one, with nothing but forms', async () => {
    const { app, sink } = await withMail()
    const { email } = await app.signUp('ada')
    const sent = await submit(app, '/forgot', { email: ` ${email}` })
    expect([sent.status, sent.headers.get('location')]).toEqual([303, 'forgot?sent'])
    expect(await heading(await app.request('GET', '/forgot?sent'))).toEqual([200, 'Look into your mailbox'])
    await app.process.deliverMail()
    const token = tokenIn(sink.received[0]!)
    const html = await (await app.request('GET', `/reset?token=${token}`)).text()
    // The page names the account by its masked address; password managers find it by its username.
    expect(html).toContain('a•••@e•••.com')
    expect(html).not.toContain(email)
    expect(html).toMatch(/<input type="text" autocomplete="username" value="ada" readonly hidden\/>/)
    expect(attributes(html, 'autocomplete')).toEqual(['username', 'new-password'])
    expect(html).toContain(`<input type="hidden" name="token" value="${token}"/>`)
    expect(attributes(html, 'action')).toEqual(['reset'])
    const done = await submit(app, '/reset', { token, password })
    expect([done.status, done.headers.get('location')]).toEqual([303, 'reset?done'])
    const last = await (await app.request('GET', '/reset?done')).text()
    expect(last).toContain('<a class="button" href="https://app.example.com">Continue to Example</a>')
    expect((await logIn(app, 'ada', password)).status).toBe(200)
  })

  test('13.5 H9: 20 GET and 20 HEAD of the link, and refused forms, use nothing up', async () => {
    const { app, sink } = await withMail()
    const { email, id } = await app.signUp('ada')
    const token = await resetToken(app, sink, email)
    const before = [await app.rows.proofs.all({}), await app.rows.users.one({ id })]
    for (let i = 0; i < 20; i++) {
      expect((await app.request('GET', `/reset?token=${token}`)).status).toBe(200)
      expect((await app.request('HEAD', `/reset?token=${token}`)).status).toBe(200)
    }
    expect((await submit(app, '/reset', { token, password }, { 'sec-fetch-site': 'cross-site' })).status).toBe(403)
    expect((await submit(app, '/reset', { token, password: 'short' })).status).toBe(422)
    expect([await app.rows.proofs.all({}), await app.rows.users.one({ id })]).toEqual(before)
    expect((await submit(app, '/reset', { token, password })).status).toBe(303)
  })

  test('13.5 H13: no parameter says where a page leads', async () => {
    const { app, sink } = await withMail()
    const { email } = await app.signUp('ada')
    const evil = [
      'https://evil.example',
      '//evil.example',
      '\\\\evil.example',
      'https:evil.example',
      '/%2f%2fevil.example',
    ]
    const names = ['redirect', 'redirect_to', 'return_to', 'next', 'continue', 'app', 'url']
    for (const target of evil) {
      const more = Object.fromEntries(names.map((name) => [name, target]))
      const query = new URLSearchParams(more)
      const asked = await app.request('POST', '/password/forgot', { json: { email, ...more } })
      expect(asked.status).toBe(202)
      await app.process.deliverMail()
      const mail = sink.received.at(-1)!
      expect(`${mail.message.text}${mail.message.html}`).not.toContain('evil')
      const token = tokenIn(mail)
      const answers = [
        await app.request('GET', `/forgot?${query}`),
        await app.request('GET', `/reset?token=${token}&${query}`),
        await submit(app, '/forgot', { email, ...more }),
        await submit(app, '/reset', { token, password: 'short', ...more }),
        await submit(app, '/reset', { token, password, ...more }),
        await app.request('GET', `/reset?done&${query}`),
      ]
      for (const answer of answers)
        expect([answer.headers.get('location') ?? '', await answer.text()].join()).not.toContain('evil')
    }
  })

  test('13.5 a wrong, a used and a missing token get one page, with the way to a new link', async () => {
    const { app, sink } = await withMail()
    const { email } = await app.signUp('ada')
    const token = await resetToken(app, sink, email)
    expect((await submit(app, '/reset', { token, password })).status).toBe(303)
    const dead: Response[] = []
    for (const query of [`?token=${token}`, '?token=kwm_x', '?token=', ''])
      dead.push(await app.request('GET', `/reset${query}`))
    const forms: Record<string, string>[] = [{ token, password }, { token: 'kwm_x', password }, { password }, {}]
    for (const form of forms) dead.push(await submit(app, '/reset', form))
    for (const answer of dead) {
      const html = await answer.clone().text()
      expect(await heading(answer)).toEqual([400, 'This link does not work any more'])
      expect(html).toContain('<a class="button" href="forgot">')
    }
  })

  test('13.5 a refused password is shown at its field, in the language, and never repeated', async () => {
    const { app, sink } = await withMail()
    const { email } = await app.signUp('ada')
    const token = await resetToken(app, sink, email)
    const cases: [password: string, en: string, de: string][] = [
      ['kurz7', 'The password must have at least 8 characters.', 'mindestens 8 Zeichen'],
      ['password1', 'Many people use this password.', 'benutzen viele'],
      ['ada@example.com', 'must not be your username or email address', 'Ihr Benutzername'],
      ['\0aaaaaaaaaaa', 'This text cannot be a password', 'kann kein Passwort'],
      ['x'.repeat(300), 'at most 256 characters', 'höchstens 256 Zeichen'],
    ]
    for (const [refused, en, de] of cases)
      for (const [locale, sentence] of [
        ['en', en],
        ['de', de],
      ] as const) {
        const answer = await submit(app, '/reset', { token, password: refused }, { 'accept-language': locale })
        expect([refused, answer.status]).toEqual([refused, 422])
        const html = await answer.text()
        expect(html).toMatch(new RegExp(`<p class="error" id="password-error">[^<]*${sentence}`))
        const field = /<input type="password"[^>]*>/.exec(html)![0]
        expect(field).toContain('aria-invalid="true"')
        expect(field).toContain('aria-describedby="password-hint password-error"')
        expect(field).toContain(' autofocus')
        expect(field).not.toContain('value=')
        if (refused !== email) expect(html).not.toContain(refused)
        expect(html).toContain(locale === 'en' ? '<title>Error: ' : '<title>Fehler: ')
      }
    const form = await (await submit(app, '/forgot', { email: 'nobody' })).text()
    expect(form).toMatch(/<input type="text"[^>]*aria-invalid="true" autofocus value="nobody"[^>]*\/>/)
  })

  test('13.5 a limit and a server without mail are said above the form, with the status and Retry-After', async () => {
    const { app } = await withMail({ env: { RATE_LIMIT: 'on' } })
    expect((await submit(app, '/forgot', { email: 'bob@example.com' })).status).toBe(303)
    const limited = await submit(app, '/forgot', { email: 'bob@example.com' }, { 'accept-language': 'fr' })
    expect([limited.status, limited.headers.get('retry-after')]).toEqual([429, '60'])
    const html = await limited.text()
    expect(html).toContain('<strong>Trop de tentatives</strong>')
    expect(html).toContain('Rien n’a été modifié. Réessayez dans 1 minute.')
    expect(html).toContain('value="bob@example.com"')
    expect(html).toMatch(/role="alert" tabindex="-1" autofocus/)
    const off = await apps.open({ dialect })
    const answer = await submit(off, '/forgot', { email: 'bob@example.com' })
    expect(answer.status).toBe(503)
    expect(await answer.text()).toContain('<strong>This service cannot send mail</strong>')
  })
})
