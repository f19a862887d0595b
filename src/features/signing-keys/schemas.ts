import { t } from 'elysia'

/** A public key as a JWK (RFC 7517 section 4). The schema has no private member. */
const Jwk = t.Object({
  kty: t.String(),
  crv: t.Optional(t.String()),
  x: t.Optional(t.String()),
  y: t.Optional(t.String()),
  n: t.Optional(t.String()),
  e: t.Optional(t.String()),
  kid: t.String({ description: 'The thumbprint of the key (RFC 7638), named by access tokens' }),
  alg: t.String(),
  use: t.Literal('sig'),
})

/** A JWK Set (RFC 7517 section 5). */
export const Jwks = t.Object(
  { keys: t.Array(Jwk) },
  {
    title: 'SigningKeys',
    description: 'A JWK Set (RFC 7517)',
    examples: [
      {
        keys: [
          {
            kty: 'EC',
            crv: 'P-256',
            x: 'f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU',
            y: 'x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0',
            kid: 'oKIywvGUpTVTyxMQ3bwIIeQUudfr_CkLMjCE19ECD-U',
            alg: 'ES256',
            use: 'sig',
          },
        ],
      },
    ],
  },
)
