import { Elysia } from 'elysia'
import type { HttpKit } from '../../http/kit.ts'
import { answer as answered, plainProblems } from '../../http/schemas.ts'
import { JWKS_MAX_AGE_SECONDS } from '../signing-keys/signing-keys.ts'
import { ServerMetadata, serverMetadata } from './schemas.ts'

const WELL_KNOWN = '/.well-known/oauth-authorization-server'

/**
 * The routes of the document from which OAuth clients and resource servers configure themselves (RFC 8414).
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
    response: { 200: answered('Authorization server metadata (RFC 8414)', ServerMetadata), ...plainProblems() },
  } as const
  const detail = {
    summary: 'Get the server metadata',
    description:
      'The endpoints and capabilities of this authorization server (RFC 8414). If `PUBLIC_URL` is `https://example.com/auth`, clients request `https://example.com/.well-known/oauth-authorization-server/auth`: Keyward serves that path too, and the proxy must forward it.',
    tags: ['tokens'],
  }
  const routes = new Elysia({ name: 'keyward.tokens' }).use(kit.plugin)
  const serve = (path: string, operationId: string) =>
    routes.get(path, answer, { ...route, detail: { ...detail, operationId } })
  serve(WELL_KNOWN, 'getServerMetadata')
  const path = issuerPath(issuer)
  if (path !== '') serve(`${WELL_KNOWN}${path}`, 'getServerMetadataByPath')
  return routes
}

/**
 * The path of the issuer, which RFC 8414 section 3.1 appends to the well-known path. Returns an empty text for an
 * issuer without a path, and for a path with `:` or `*`, because these characters are patterns in a route.
 */
const issuerPath = (issuer: string): string => {
  const { pathname } = new URL(issuer)
  return pathname === '/' || /[:*]/.test(pathname) ? '' : pathname
}
