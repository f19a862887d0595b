import { Elysia } from 'elysia'
import type { HttpKit } from '../../http/kit.ts'
import { plainProblems } from '../../http/schemas.ts'
import { JWKS_MAX_AGE_SECONDS } from '../signing-keys/signing-keys.ts'
import { ServerMetadata, serverMetadata } from './schemas.ts'

const WELL_KNOWN = '/.well-known/oauth-authorization-server'

/**
 * The document from which OAuth clients and resource servers configure themselves (RFC 8414).
 * @param issuer `PUBLIC_URL`
 */
export function tokenRoutes(issuer: string, kit: HttpKit) {
  const metadata = serverMetadata(issuer)
  const answer = ({ set }: { set: { headers: Record<string, string | number> } }) => {
    set.headers['cache-control'] = `public, max-age=${JWKS_MAX_AGE_SECONDS}`
    return metadata
  }
  const route = {
    open: true,
    limit: { none: 'public and read from memory' },
    response: { 200: ServerMetadata, ...plainProblems() },
  } as const
  const detail = {
    summary: 'Read what this authorization server can do (RFC 8414)',
    description:
      'Where `PUBLIC_URL` has a path, its clients look for this document with the path behind it: `https://example.com/auth` has it at `https://example.com/.well-known/oauth-authorization-server/auth`. It is served there too; the proxy in front must pass that address on.',
    tags: ['tokens'],
  }
  const routes = new Elysia({ name: 'keyward.tokens' }).use(kit.plugin).get(WELL_KNOWN, answer, { ...route, detail })
  const path = issuerPath(issuer)
  if (path !== '') routes.get(`${WELL_KNOWN}${path}`, answer, { ...route, detail })
  return routes
}

/** RFC 8414 section 3.1: an issuer's path stands behind the well-known one. A colon or asterisk would make a pattern. */
const issuerPath = (issuer: string): string => {
  const { pathname } = new URL(issuer)
  return pathname === '/' || /[:*]/.test(pathname) ? '' : pathname
}
