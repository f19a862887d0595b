import type { Config } from '../config/schema.ts'
import { isLoopback } from '../lib/ip.ts'
import type { Log } from '../lib/log.ts'
import { mayUseCookies } from '../pages/cookies.ts'

/** Logs a warning for each setting that is allowed but probably wrong for a server that other machines use. */
export function warnOfSettings(
  { PUBLIC_URL, SMTP_URL, PAGES }: Pick<Config, 'PUBLIC_URL' | 'SMTP_URL' | 'PAGES'>,
  { dev, log }: { dev: boolean; log: Log },
): void {
  const { protocol, hostname } = new URL(PUBLIC_URL)
  if (!dev && protocol === 'http:' && isLoopback(hostname))
    log.warn('public_url_is_local', {
      public_url: PUBLIC_URL,
      hint: 'PUBLIC_URL is an address that only this machine can reach; set it to the public address',
    })
  if (PAGES === 'on' && !mayUseCookies(PUBLIC_URL))
    log.warn('pages_without_cookies', {
      public_url: PUBLIC_URL,
      hint: 'over http others could read cookies, so there are no pages to log in, to register and for the account; set PUBLIC_URL to an https address',
    })
  if (!dev && SMTP_URL === undefined)
    log.warn('mail_is_off', { hint: 'set SMTP_URL and MAIL_FROM, so that users are told of changes to their account' })
}
