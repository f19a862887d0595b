import { Elysia } from 'elysia'
import { type Cidr, clientPrefix, createTrustedProxies } from '../lib/ip.ts'
import { clientIp } from './client-ip.ts'
import { exchangeOf } from './exchange.ts'
import { accessWords } from './guard.ts'
import { parsers } from './parsers.ts'

/** What every `routes.ts` gets beside the features it calls. */
export interface HttpKit {
  /** The access words and parsers that routes use. */
  plugin: ReturnType<typeof createPlugin>
  /** The client's address, as a trusted proxy reports it where there is one. */
  clientIp(request: Request): string
  /** The network that limits count as one client: an IPv4 address or an IPv6 /64. */
  clientPrefix(request: Request): string
  /** The client's address and user agent, as a session stores them. */
  origin(request: Request): { ip: string; userAgent: string | null }
}

/** The address of the other end of the connection; undefined where there is none (in process). */
export type PeerAddress = (request: Request) => string | undefined

/** @param ignoredProxy called when a request has a proxy's header while no proxy is trusted */
export function createHttpKit(
  trustedProxies: readonly Cidr[],
  peer: PeerAddress,
  ignoredProxy: () => void = () => {},
): HttpKit {
  const trusted = createTrustedProxies(trustedProxies)
  const ip = (request: Request) => {
    const forwardedFor = request.headers.get('x-forwarded-for')
    if (trusted.empty && forwardedFor !== null) ignoredProxy()
    return clientIp(peer(exchangeOf(request)?.received ?? request), trusted.empty ? null : forwardedFor, trusted)
  }
  return {
    plugin: createPlugin(),
    clientIp: ip,
    clientPrefix: (request) => clientPrefix(ip(request)),
    origin: (request) => ({ ip: ip(request), userAgent: request.headers.get('user-agent')?.slice(0, 512) ?? null }),
  }
}

const createPlugin = () => new Elysia({ name: 'keyward.kit' }).use(accessWords).use(parsers)
