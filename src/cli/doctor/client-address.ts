import type { DraftConfig } from '../../config/schema.ts'
import { clientIp } from '../../http/client-ip.ts'
import { canonicalIp, createTrustedProxies, isLoopback } from '../../lib/ip.ts'
import { UsageError } from '../context.ts'
import { type Finding, ok, warning } from './finding.ts'

/** A request as a server would see it: the address of the connection, and the header `X-Forwarded-For`. */
export interface ExampleRequest {
  peer?: string
  forwarded?: string
}

/** @throws UsageError for `--forwarded` without `--peer`, and for a peer that is no address */
export function checkExample({ peer, forwarded }: ExampleRequest): void {
  if (peer === undefined && forwarded !== undefined) throw new UsageError('--forwarded needs --peer too')
  if (peer !== undefined && canonicalIp(peer) === undefined) throw new UsageError('--peer takes an IP address')
}

/**
 * Says which address counts as the client, by the function that requests use. Rate limits and the audit log use this
 * address.
 */
export function checkClientAddress(
  { TRUSTED_PROXIES, PUBLIC_URL }: Pick<DraftConfig, 'TRUSTED_PROXIES' | 'PUBLIC_URL'>,
  { peer, forwarded }: ExampleRequest,
): Finding {
  const trusted = createTrustedProxies(TRUSTED_PROXIES)
  if (peer === undefined) return withoutExample({ PUBLIC_URL, isEmpty: trusted.empty })
  const client = clientIp(peer, forwarded ?? null, trusted)
  const header = forwarded === undefined ? 'without X-Forwarded-For' : `with X-Forwarded-For: ${forwarded.trim()}`
  const message = `A request from ${peer} ${header} counts as a request of ${client}`
  const isProxy = trusted.has(canonicalIp(peer)!)
  if (!isProxy && forwarded !== undefined)
    return warning('client_address', {
      message: `${message}: the header is ignored, because ${peer} is not in TRUSTED_PROXIES.`,
      fix: `If ${peer} is your proxy, add it to TRUSTED_PROXIES.`,
    })
  if (isProxy && trusted.has(client))
    return warning('client_address', {
      message: `${message}, which is a trusted proxy: all its clients share the limits of one address.`,
      fix: 'Let the proxy append the address of its client to X-Forwarded-For, and name only proxies in TRUSTED_PROXIES.',
    })
  return ok('client_address', `${message}.`)
}

function withoutExample({ PUBLIC_URL, isEmpty }: { PUBLIC_URL: string; isEmpty: boolean }): Finding {
  const { protocol, hostname } = new URL(PUBLIC_URL)
  if (isEmpty && protocol === 'https:' && !isLoopback(hostname))
    return warning('client_address', {
      subject: 'TRUSTED_PROXIES',
      message:
        'PUBLIC_URL is https, so a proxy is in front of Keyward, and no proxy is trusted: all clients share the limits of its address.',
      fix: 'Set TRUSTED_PROXIES to the address of the proxy, then try keyward doctor --peer PROXY --forwarded CLIENT.',
    })
  return ok(
    'client_address',
    isEmpty
      ? 'The address of the connection counts, and X-Forwarded-For is ignored.'
      : 'X-Forwarded-For counts when a proxy in TRUSTED_PROXIES sends it.',
  )
}
