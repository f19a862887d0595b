import { Elysia, t } from 'elysia'
import type { HttpKit } from '../../http/kit.ts'
import { answer, bodyProblems, problems } from '../../http/schemas.ts'
import type { Administration } from './administration.ts'
import { actorWith, refusals, writeRefusals } from './parts.schemas.ts'
import {
  RevocationView,
  RotationBody,
  RotationView,
  SigningKeyList,
  SigningKeyPath,
  toRevocationView,
  toRotationView,
  toSigningKeyView,
} from './signing-keys.schemas.ts'

const followers =
  'Every running server follows within 30 seconds. A service that caches the key set reads it again within 10 minutes.'

/** Routes with which administrators read, rotate and revoke the signing keys. */
export function signingKeyAdministrationRoutes(administration: Administration, kit: HttpKit) {
  const actorOf = actorWith(kit)
  const change = { access: 'keys:write', fresh: true, limit: 'account' } as const
  const keyRefusals = [...writeRefusals, 'key_not_rotatable', 'keys_changed'] as const
  return new Elysia({ name: 'keyward.administration.signing-keys' })
    .use(kit.plugin)
    .get('/admin/keys', async () => ({ items: (await administration.listSigningKeys()).map(toSigningKeyView) }), {
      access: 'keys:read',
      response: { 200: answer('The signing keys', SigningKeyList), ...problems(...refusals) },
      detail: {
        operationId: 'listSigningKeys',
        summary: 'List the signing keys',
        description:
          'The oldest first. A key stays in the list for 30 days after it expired or was revoked. No answer has a private key.',
        tags: ['administration'],
      },
    })
    .post(
      '/admin/keys/rotate',
      async ({ request, body }) =>
        toRotationView(
          await administration.rotateSigningKey(actorOf(request), {
            early: body?.now === true,
            idTokens: body?.id_tokens ?? undefined,
          }),
        ),
      {
        ...change,
        parse: 'optionalJson',
        body: t.Optional(RotationBody),
        response: {
          200: answer('The keys after the rotation', RotationView),
          ...bodyProblems(...keyRefusals, 'validation_failed', 'key_not_ready', 'key_not_found'),
        },
        detail: {
          operationId: 'rotateSigningKey',
          summary: 'Rotate the signing key',
          description: `The next key signs, and the former key verifies its tokens until they expire: nobody is logged out. ${followers}`,
          tags: ['administration'],
        },
      },
    )
    .post(
      '/admin/keys/:kid/revoke',
      async ({ request, params }) =>
        toRevocationView(await administration.revokeSigningKey(actorOf(request), params.kid)),
      {
        ...change,
        params: SigningKeyPath,
        response: { 200: answer('The key is revoked', RevocationView), ...problems(...keyRefusals, 'key_not_found') },
        detail: {
          operationId: 'revokeSigningKey',
          summary: 'Revoke a signing key',
          description: `For a key that leaked. Every token that it signed is refused, perhaps yours too. Refresh tokens stay valid. ${followers}`,
          tags: ['administration'],
        },
      },
    )
}
