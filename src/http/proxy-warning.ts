import type { Log } from '../lib/log.ts'

/** Logs once that a request came through a proxy that is not trusted. */
export function createProxyWarning(log: Log): () => void {
  let isLogged = false
  return () => {
    if (isLogged) return
    isLogged = true
    log.warn('forwarded_for_ignored', {
      hint: 'requests carry X-Forwarded-For, but TRUSTED_PROXIES is not set: if your own proxy writes it, all clients behind it share one rate limit; otherwise ignore this',
    })
  }
}
