import { Elysia } from 'elysia'
import { type Cidr, clientPrefix, createTrustedProxies } from '../lib/ip.ts'
import type { Log } from '../lib/log.ts'
import { clientIp } from './client-ip.ts'
import { exchangeOf } from './exchange.ts'
import { accessWords } from './guard.ts'
import { parsers } from './parsers.ts'

/** The HTTP helpers that every `routes.ts` receives. */
export interface HttpKit {
  /** The Elysia plugin that adds the access words of `guard.ts` and the body parsers of `parsers.ts` to routes. */
  plugin: ReturnType<typeof createPlugin>
  /** The client's address in canonical spelling. Behind a trusted proxy, it is the address that the proxy reports. */
  clientIp(request: Request): string
  /** The network that limits count as one client: an IPv4 address or an IPv6 /64. */
  clientPrefix(request: Request): string
  /** The network of `clientPrefix` and the address of `clientIp`. */
  requester(request: Request): { client: string; ip: string }
  /** The client's address, and the first 512 characters of the `User-Agent` header. A session stores both. */
  origin(request: Request): { ip: string; userAgent: string | null }
}

/** Returns the address of the other end of the connection; undefined for a request that is made in process. */
export type PeerAddress = (request: Request) => string | undefined

/**
 * Makes the helpers of the routes.
 * @param log receives one warning, at the first request that has `X-Forwarded-For` while no proxy is trusted
 */
export function createHttpKit(trustedProxies: readonly Cidr[], peer: PeerAddress, log?: Log): HttpKit {
  const trusted = createTrustedProxies(trustedProxies)
  let hasWarned = false
  const findIp = (request: Request, received: Request) => {
    const forwardedFor = request.headers.get('x-forwarded-for')
    if (trusted.empty && forwardedFor !== null && !hasWarned) {
      hasWarned = true
      log?.warn('forwarded_for_ignored', {
        hint: 'requests carry X-Forwarded-For, but TRUSTED_PROXIES is not set: if your own proxy writes it, all clients behind it share one rate limit; otherwise ignore this',
      })
    }
    return clientIp(peer(received), trusted.empty ? null : forwardedFor, trusted)
  }
  const ip = (request: Request) => {
    const exchange = exchangeOf(request)
    if (!exchange) return findIp(request, request)
    exchange.ip ??= findIp(request, exchange.received)
    return exchange.ip
  }
  return {
    plugin: createPlugin(),
    clientIp: ip,
    clientPrefix: (request) => clientPrefix(ip(request)),
    requester: (request) => ({ client: clientPrefix(ip(request)), ip: ip(request) }),
    origin: (request) => ({ ip: ip(request), userAgent: request.headers.get('user-agent')?.slice(0, 512) ?? null }),
  }
}

const createPlugin = () => new Elysia({ name: 'keyward.kit' }).use(accessWords).use(parsers)
