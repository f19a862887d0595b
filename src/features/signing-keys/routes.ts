import { Elysia } from 'elysia'
import type { HttpKit } from '../../http/kit.ts'
import { plainProblems } from '../../http/schemas.ts'
import { Jwks } from './schemas.ts'
import { JWKS_MAX_AGE_SECONDS, type SigningKeys } from './signing-keys.ts'

/** The keys that other services verify access tokens with. */
export const signingKeyRoutes = (signingKeys: SigningKeys, kit: HttpKit) =>
  new Elysia({ name: 'keyward.signing-keys' }).use(kit.plugin).get(
    '/.well-known/jwks.json',
    ({ set }) => {
      set.headers['cache-control'] = `public, max-age=${JWKS_MAX_AGE_SECONDS}`
      return { keys: signingKeys.published() }
    },
    {
      open: true,
      limit: { none: 'public and read from memory' },
      response: { 200: Jwks, ...plainProblems() },
      detail: {
        summary: 'Read the public keys of access tokens',
        description:
          'The key that signs, the next one, published well before it signs, and retired ones until the last token they signed is out. Empty with `JWT_ALG=HS256`, whose key is a secret. The answer may be kept for as long as `Cache-Control` says; a `kid` that is not in the copy is a reason to ask again. The media type is `application/json`, which some libraries insist on, rather than `application/jwk-set+json`.',
        tags: ['keys'],
      },
    },
  )
