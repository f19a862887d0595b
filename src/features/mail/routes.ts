import { Elysia, t } from 'elysia'
import { KeywardError } from '../../errors.ts'
import type { HttpKit } from '../../http/kit.ts'
import { answer, plainProblems } from '../../http/schemas.ts'
import { escapeHtml } from './html.ts'
import type { Mailbox } from './mailbox.ts'

/**
 * The routes of `/dev/mailbox`, which show the mails of `--dev` to every client. Therefore `app.ts` passes a mailbox
 * only when HOST is a loopback address, and a request with a header that proxies add, such as `Via`, gets 404.
 * @param mailbox undefined for no routes
 */
export function mailboxRoutes(mailbox: Mailbox | undefined, kit: HttpKit) {
  const routes = new Elysia({ name: 'keyward.mailbox' }).use(kit.plugin)
  if (mailbox === undefined) return routes
  return routes
    .get(
      '/dev/mailbox',
      ({ request, set }) => {
        requireDirect(request)
        set.headers['content-type'] = 'text/html; charset=utf-8'
        set.headers['content-security-policy'] = "default-src 'none'; style-src 'unsafe-inline'"
        return pageOf(mailbox)
      },
      {
        ...open,
        response: { 200: html, ...plainProblems('not_found') },
        detail: { summary: 'Read the mails of this development server', tags: ['documentation'] },
      },
    )
    .get(
      '/dev/mailbox.json',
      ({ request }) => {
        requireDirect(request)
        return { mails: mailbox.list().map(({ id, to, subject, text }) => ({ id, to, subject, text })) }
      },
      {
        ...open,
        response: { 200: answer('The mails, newest first', Mails), ...plainProblems('not_found') },
        detail: { summary: 'List the mails of this development server', tags: ['documentation'] },
      },
    )
    .get(
      '/dev/mailbox/:id',
      ({ request, params, set }) => {
        requireDirect(request)
        const mail = mailbox.list().find(({ id }) => id === params.id)
        if (!mail) throw new KeywardError('not_found')
        set.headers['content-type'] = 'text/html; charset=utf-8'
        set.headers['content-security-policy'] = "default-src 'none'; style-src 'unsafe-inline'; sandbox"
        return mail.html
      },
      {
        ...open,
        params: t.Object({ id: t.String({ description: 'As the mailbox names it' }) }),
        response: { 200: html, ...plainProblems('not_found') },
        detail: { summary: 'See a mail as HTML', tags: ['documentation'] },
      },
    )
}

const open = { open: true, limit: { none: 'exists on a development server only' } } as const

const html = answer('The page', t.String({ contentMediaType: 'text/html', examples: ['<!doctype html>…'] }))

const Mails = t.Object({
  mails: t.Array(t.Object({ id: t.String(), to: t.String(), subject: t.String(), text: t.String() })),
})

const forwarding = ['forwarded', 'via', 'x-forwarded-for', 'x-forwarded-host', 'x-forwarded-proto', 'x-real-ip']

function requireDirect({ headers }: Request): void {
  if (forwarding.some((name) => headers.has(name))) throw new KeywardError('not_found')
}

function pageOf(mailbox: Mailbox): string {
  const mails = mailbox
    .list()
    .map(
      ({ id, to, subject, text }) =>
        `<article><h2>${escapeHtml(subject)}</h2><p>To ${escapeHtml(to)} · <a href="mailbox/${encodeURIComponent(id)}">as HTML</a></p><pre>${escapeHtml(text)}</pre></article>`,
    )
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>Mailbox</title>
<style>:root{color-scheme:light dark}body{font:16px/1.5 system-ui,sans-serif;max-width:720px;margin:24px auto;padding:0 12px}article{border:1px solid #8888;border-radius:8px;padding:12px 16px;margin:0 0 16px}h2{font-size:18px;margin:0}pre{white-space:pre-wrap;overflow-wrap:anywhere}</style></head>
<body><h1>Mailbox</h1><p>This development server sends no mail. What it would send is here, newest first.</p>
${mails.length > 0 ? mails.join('\n') : '<p>No mail yet.</p>'}
</body></html>
`
}
