import { type Static, t } from 'elysia'
import { optionalChoice } from '../../http/schemas.ts'
import { rfc3339 } from '../../lib/clock.ts'
import { type KeySummary, publicKeyAlgorithms, type Revocation, type Rotation } from '../signing-keys/signing-keys.ts'

const kid = 'oKIywvGUpTVTyxMQ3bwIIeQUudfr_CkLMjCE19ECD-U'
const nextKid = 'NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs'

const time = (description: string) => t.Union([t.String(), t.Null()], { description: `${description} (RFC 3339, UTC)` })

const SigningKeyView = t.Object(
  {
    kid: t.String({ description: 'The id of the key, named by its tokens' }),
    alg: t.String(),
    state: t.Union([t.Literal('next'), t.Literal('active'), t.Literal('retired'), t.Literal('revoked')], {
      description: '`active` signs, `next` is published to sign later, `retired` verifies until `expires_at`',
    }),
    signs: t.Union([t.Literal('access_tokens'), t.Literal('id_tokens'), t.Null()], {
      description: 'What an `active` or `next` key signs: access tokens, or ID tokens and logout tokens of clients',
    }),
    created_at: t.String({ description: 'RFC 3339, UTC' }),
    ready_at: time('From when a `next` key may sign'),
    activated_at: time('Since when the key signs or signed'),
    rotates_at: time('When the `active` key is rotated by itself'),
    retired_at: time('Since when the key signs no more'),
    expires_at: time('When the last token of a `retired` key expires'),
    revoked_at: time('Since when the key is revoked'),
  },
  { title: 'SigningKey', description: 'A key that signs tokens, without its private part' },
)

const atOrNull = (at: number | null): string | null => (at === null ? null : rfc3339(at))

export const toSigningKeyView = (key: KeySummary): Static<typeof SigningKeyView> => ({
  kid: key.kid,
  alg: key.alg,
  state: key.state,
  signs: key.signs,
  created_at: rfc3339(key.createdAt),
  ready_at: atOrNull(key.readyAt),
  activated_at: atOrNull(key.activatedAt),
  rotates_at: atOrNull(key.rotatesAt),
  retired_at: atOrNull(key.retiredAt),
  expires_at: atOrNull(key.expiresAt),
  revoked_at: atOrNull(key.revokedAt),
})

export const SigningKeyList = t.Object(
  { items: t.Array(SigningKeyView) },
  {
    title: 'SigningKeyList',
    description: 'All stored signing keys, the oldest first',
    examples: [
      {
        items: [
          {
            kid,
            alg: 'ES256',
            state: 'active',
            signs: 'access_tokens',
            created_at: '2026-01-01T00:00:00.000Z',
            ready_at: null,
            activated_at: '2026-01-01T00:00:00.000Z',
            rotates_at: '2026-04-01T00:00:00.000Z',
            retired_at: null,
            expires_at: null,
            revoked_at: null,
          },
        ],
      },
    ],
  },
)

export const RotationBody = t.Object(
  {
    now: t.Optional(
      t.Union([t.Boolean(), t.Null()], {
        description:
          '`true` rotates although the next key was published less than 11 minutes ago: services that cached the key set before may refuse its tokens until then',
      }),
    ),
    id_tokens: optionalChoice(
      publicKeyAlgorithms,
      'Rotates the key of the ID tokens with this algorithm instead of the key of access tokens',
    ),
  },
  { title: 'KeyRotation', examples: [{ now: false }] },
)

export const RotationView = t.Object(
  {
    active: t.String({ description: 'The `kid` of the key that signs now' }),
    next: t.String({ description: 'The `kid` of the new next key' }),
    retired: t.Union([t.Object({ kid: t.String(), until: t.String({ description: 'RFC 3339, UTC' }) }), t.Null()], {
      description: 'The former key, whose tokens stay valid until `until`',
    }),
  },
  {
    title: 'RotatedKeys',
    examples: [{ active: kid, next: nextKid, retired: null }],
  },
)

export const toRotationView = ({ active, next, retired }: Rotation): Static<typeof RotationView> => ({
  active,
  next,
  retired: retired ? { kid: retired.kid, until: rfc3339(retired.until) } : null,
})

export const RevocationView = t.Object(
  {
    kid: t.String({ description: 'The revoked key' }),
    active: t.Union([t.String(), t.Null()], {
      description: 'The `kid` of the key that signs instead; `null` if the revoked key did not sign',
    }),
  },
  { title: 'RevokedKey', examples: [{ kid, active: nextKid }] },
)

export const toRevocationView = ({ kid: revoked, active }: Revocation): Static<typeof RevocationView> => ({
  kid: revoked,
  active: active ?? null,
})

export const SigningKeyPath = t.Object({ kid: t.String({ description: 'The `kid` of the key', examples: [kid] }) })
