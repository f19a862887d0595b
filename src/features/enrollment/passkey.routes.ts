import { Elysia } from 'elysia'
import { sessionOf } from '../../http/caller.ts'
import type { HttpKit } from '../../http/kit.ts'
import { answer, bodyProblems, freshCodes } from '../../http/schemas.ts'
import type { Enrollment } from './enrollment.ts'
import { AddPasskeyBody, PasskeyKindBody, PendingPasskeyView, toPendingPasskeyView } from './passkey.schemas.ts'
import { AddedFactor, addCodes, overdueText, toAddedFactor } from './schemas.ts'

/** Routes with which people add passkeys and security keys to their own account. */
export const passkeyEnrollmentRoutes = (enrollment: Enrollment, kit: HttpKit) =>
  new Elysia({ name: 'keyward.passkey-enrollment' })
    .use(kit.plugin)
    .post(
      '/users/me/factors/webauthn/options',
      async ({ request, body }) => {
        const of = { kind: body.kind, password: body.password, ...kit.requester(request) }
        return toPendingPasskeyView(await enrollment.beginPasskey(sessionOf(request), of))
      },
      {
        access: 'user',
        fresh: true,
        limit: ['login', 'factor', 'mfa'],
        parse: 'strictJson',
        body: PasskeyKindBody,
        response: {
          200: answer('The options for the browser', PendingPasskeyView),
          ...bodyProblems(...freshCodes, ...addCodes, 'validation_failed', 'not_found'),
        },
        detail: {
          operationId: 'beginPasskey',
          summary: 'Begin to add a passkey or security key',
          description: `Nothing changes until \`POST /users/me/factors/webauthn\` takes the answer of the browser, within five minutes. Another one that waits in this session is dropped. \`404\` with \`PASSKEYS=off\`. ${overdueText}`,
          tags: ['factors'],
        },
      },
    )
    .post(
      '/users/me/factors/webauthn',
      async ({ request, body, set }) => {
        const of = { challengeId: body.challenge_id, credential: body.credential, name: body.name }
        const proof = { password: body.password, ...kit.requester(request) }
        const added = await enrollment.addPasskey(sessionOf(request), { ...of, ...proof })
        set.status = 201
        return toAddedFactor(added)
      },
      {
        access: 'user',
        fresh: true,
        limit: ['login', 'factor', 'mfa'],
        parse: 'strictJson',
        body: AddPasskeyBody,
        response: {
          201: answer('The factor, and new tokens of this session', AddedFactor),
          ...bodyProblems(
            ...freshCodes,
            ...addCodes,
            'validation_failed',
            'webauthn_failed',
            'synced_passkey',
            'credential_exists',
            'not_found',
          ),
        },
        detail: {
          operationId: 'addPasskey',
          summary: 'Add a passkey or security key',
          description: `From now on, every login without it asks for a second factor. With your first factor, the answer has recovery codes: show them at once, no answer has them again. All your other sessions end, and you get a mail. The challenge is used up also by a wrong answer. ${overdueText}`,
          tags: ['factors'],
        },
      },
    )
