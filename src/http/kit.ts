import { Elysia } from 'elysia'
import { clientPrefix, createTrustedProxies } from '../lib/ip.ts'
import { clientIp } from './client-ip.ts'
import { accessWords } from './guard.ts'
import { parsers } from './parsers.ts'
import { originalOf } from './request-state.ts'

/** What every `routes.ts` gets beside its dependencies. */
export interface HttpKit {
  /** The words and parsers a route is written with. */
  plugin: ReturnType<typeof createPlugin>
  /** The address a request came from, a trusted proxy's word for it included. */
  clientIp(request: Request): string
  /** The network that limits count as one client: an IPv4 address, an IPv6 /64. */
  clientPrefix(request: Request): string
  /** Address and user agent, as a session remembers them. */
  origin(request: Request): { ip: string; userAgent: string | null }
}

/** The address of the other end of the connection; undefined where there is none (in process). */
export type PeerAddress = (request: Request) => string | undefined

/** @param ignoredProxy told when a request carries the header of a proxy and none is trusted */
export function createHttpKit(
  trustedProxies: readonly string[],
  peer: PeerAddress,
  ignoredProxy: () => void = () => {},
): HttpKit {
  const trusted = createTrustedProxies([...trustedProxies])
  const ip = (request: Request) => {
    const forwardedFor = request.headers.get('x-forwarded-for')
    if (trusted.empty && forwardedFor !== null) ignoredProxy()
    return clientIp(peer(originalOf(request)), trusted.empty ? null : forwardedFor, trusted)
  }
  return {
    plugin: createPlugin(),
    clientIp: ip,
    clientPrefix: (request) => clientPrefix(ip(request)),
    origin: (request) => ({ ip: ip(request), userAgent: request.headers.get('user-agent')?.slice(0, 512) ?? null }),
  }
}

const createPlugin = () => new Elysia({ name: 'keyward.kit' }).use(accessWords).use(parsers)
