import { Elysia } from 'elysia'
import type { HttpKit } from '../../http/kit.ts'
import { answer as answered, plainProblems } from '../../http/schemas.ts'
import { JWKS_MAX_AGE_SECONDS } from '../signing-keys/signing-keys.ts'
import { ServerMetadata } from './metadata.schemas.ts'
import type { OpenId } from './openid.ts'

/**
 * The routes of the document from which clients and resource servers configure themselves (RFC 8414, OpenID Connect
 * Discovery 1.0). Without the provider there is no `openid-configuration`.
 */
export function metadataRoutes({ metadata, isProvider }: Pick<OpenId, 'metadata' | 'isProvider'>, kit: HttpKit) {
  const answer = ({ set }: { set: { headers: Record<string, string | number> } }) => {
    set.headers['cache-control'] = `public, max-age=${JWKS_MAX_AGE_SECONDS}`
    return metadata
  }
  const route = {
    open: true,
    limit: { none: 'public and read from memory' },
    response: {
      200: answered('Server metadata (RFC 8414, OpenID Connect Discovery)', ServerMetadata),
      ...plainProblems(),
    },
  } as const
  const routes = new Elysia({ name: 'keyward.metadata' }).use(kit.plugin)
  const serve = (path: string, detail: { operationId: string; summary: string; description: string }) =>
    routes.get(path, answer, { ...route, detail: { ...detail, tags: ['openid'] } })

  const oauth = '/.well-known/oauth-authorization-server'
  const summary = 'Get the server metadata'
  const description =
    'The endpoints and capabilities of this authorization server (RFC 8414). If `PUBLIC_URL` is `https://example.com/auth`, clients request `https://example.com/.well-known/oauth-authorization-server/auth`: Keyward serves that path too, and the proxy must forward it.'
  serve(oauth, { operationId: 'getServerMetadata', summary, description })
  const path = issuerPath(metadata.issuer)
  if (path !== '') serve(`${oauth}${path}`, { operationId: 'getServerMetadataByPath', summary, description })
  if (isProvider)
    serve('/.well-known/openid-configuration', {
      operationId: 'getOpenIdConfiguration',
      summary: 'Get the OpenID configuration',
      description: 'The same document, where OpenID clients look for it.',
    })
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
