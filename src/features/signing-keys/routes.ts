import { Elysia } from 'elysia'
import type { HttpKit } from '../../http/kit.ts'
import { answer, plainProblems } from '../../http/schemas.ts'
import { Jwks } from './schemas.ts'
import { JWKS_MAX_AGE_SECONDS, type SigningKeys } from './signing-keys.ts'

/** The route of the public keys with which other services verify access tokens. */
export const signingKeyRoutes = (signingKeys: SigningKeys, kit: HttpKit) =>
  new Elysia({ name: 'keyward.signing-keys' }).use(kit.plugin).get(
    '/.well-known/jwks.json',
    async ({ set }) => {
      set.headers['cache-control'] = `public, max-age=${JWKS_MAX_AGE_SECONDS}`
      return { keys: await signingKeys.published() }
    },
    {
      open: true,
      limit: { none: 'public, and requests at one time share one read of a few rows' },
      response: { 200: answer('A JWK Set (RFC 7517)', Jwks), ...plainProblems() },
      detail: {
        operationId: 'getSigningKeys',
        summary: 'Get the public signing keys',
        description:
          'The current signing key, the next one, and retired keys until their last token expires. Cache the answer as `Cache-Control` says, and request it again when a token has an unknown `kid`. The list is empty with `JWT_ALG=HS256`, whose key is secret.',
        tags: ['keys'],
      },
    },
  )
