import type { Config } from '../config/schema.ts'
import type { Log } from '../lib/log.ts'

/** Says at the start what is allowed but hardly meant. */
export function warnOfSettings(
  { PUBLIC_URL }: Pick<Config, 'PUBLIC_URL'>,
  { dev, log }: { dev: boolean; log: Log },
): void {
  const { protocol, hostname } = new URL(PUBLIC_URL)
  if (!dev && protocol === 'http:' && isLoopback(hostname))
    log.warn('public_url_is_local', {
      public_url: PUBLIC_URL,
      hint: 'tokens are issued and links begin with an address that only this machine reaches; set PUBLIC_URL',
    })
}

const isLoopback = (hostname: string): boolean => /^(localhost|.*\.localhost|127(\.\d+){3}|\[::1\])$/.test(hostname)

/** Says once that a proxy stands in front whose word is not taken. */
export function createProxyWarning(log: Log): () => void {
  let said = false
  return () => {
    if (said) return
    said = true
    log.warn('forwarded_for_ignored', {
      hint: 'requests carry X-Forwarded-For but TRUSTED_PROXIES is not set: if a proxy of yours writes it, all clients behind it share its limits; else ignore this',
    })
  }
}
