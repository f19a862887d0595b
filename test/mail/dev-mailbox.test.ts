import { expect, test } from 'bun:test'
import type { TestApp, TestAppOptions } from '../support/app.ts'
import { appsPerTest } from '../support/hooks.ts'

const apps = appsPerTest()

async function withMail(options: TestAppOptions = {}): Promise<TestApp> {
  const app = await apps.open({ mailbox: true, ...options })
  const { id } = await app.signUp()
  await app.process.notify('password_changed', id)
  await app.process.deliverMail()
  return app
}

const mailsOf = async (app: TestApp) =>
  (
    (await (await app.request('GET', '/dev/mailbox.json')).json()) as {
      mails: { id: string; to: string; text: string }[]
    }
  ).mails

test('13.2 with --dev and without SMTP_URL, mails are at /dev/mailbox and in the log', async () => {
  const app = await withMail()
  const [mail, ...others] = await mailsOf(app)
  expect(others).toEqual([])
  expect(mail).toMatchObject({ to: 'ada@example.com', subject: 'Your password for Keyward was changed' })
  const page = await app.request('GET', '/dev/mailbox')
  expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8')
  expect(page.headers.get('content-security-policy')).toContain("default-src 'none'")
  expect(await page.text()).toContain(`<a href="mailbox/${mail!.id}">`)
  const html = await app.request('GET', `/dev/mailbox/${mail!.id}`)
  expect(html.headers.get('content-security-policy')).toContain('sandbox')
  expect(await html.text()).toContain('<h1>Your password for Keyward was changed</h1>')
  expect(app.logs.filter((line) => line.includes('"event":"mail"'))).toHaveLength(1)
  expect((await app.request('GET', '/dev/mailbox/other')).status).toBe(404)
  expect(await (await app.request('GET', '/readyz')).json()).toEqual({ status: 'ready', mail: 'working' })
})

test('13.2 the mailbox answers nobody who comes through a proxy', async () => {
  const app = await withMail()
  for (const name of ['X-Forwarded-For', 'X-Forwarded-Host', 'X-Forwarded-Proto', 'X-Real-IP', 'Forwarded', 'Via'])
    for (const path of ['/dev/mailbox', '/dev/mailbox.json', `/dev/mailbox/${(await mailsOf(app))[0]!.id}`])
      expect((await app.request('GET', path, { headers: { [name]: 'x' } })).status).toBe(404)
})

test('13.2 there is no mailbox on a server that other machines reach, with SMTP_URL, or without --dev', async () => {
  const smtp = { SMTP_URL: 'smtp://127.0.0.1:1?tls=none', MAIL_FROM: 'a@example.com' }
  for (const options of [{ mailbox: true, env: { HOST: '0.0.0.0' } }, { mailbox: true, env: smtp }, {}]) {
    const app = await apps.open(options)
    for (const path of ['/dev/mailbox', '/dev/mailbox.json', '/dev/mailbox/x'])
      expect((await app.request('GET', path)).status).toBe(404)
  }
})
