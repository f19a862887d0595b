import type { Config } from '../config/schema.ts'
import type { Log } from '../lib/log.ts'

/** Warns at the start about settings that are allowed but probably wrong. */
export function warnOfSettings(
  { PUBLIC_URL }: Pick<Config, 'PUBLIC_URL'>,
  { dev, log }: { dev: boolean; log: Log },
): void {
  const { protocol, hostname } = new URL(PUBLIC_URL)
  if (!dev && protocol === 'http:' && isLoopback(hostname))
    log.warn('public_url_is_local', {
      public_url: PUBLIC_URL,
      hint: 'PUBLIC_URL is an address that only this machine can reach; set it to the public address',
    })
}

const isLoopback = (hostname: string): boolean => /^(localhost|.*\.localhost|127(\.\d+){3}|\[::1\])$/.test(hostname)
