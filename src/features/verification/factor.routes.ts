import { Elysia, t } from 'elysia'
import type { HttpKit } from '../../http/kit.ts'
import { answer, bodyProblems } from '../../http/schemas.ts'
import { FactorRecoveryBody } from './schemas.ts'
import type { Verification } from './verification.ts'

/** Routes for people who have lost their second factors. */
export const factorRecoveryRoutes = (verification: Verification, kit: HttpKit) =>
  new Elysia({ name: 'keyward.factor-recovery' }).use(kit.plugin).post(
    '/factor-recovery/finish',
    async ({ request, body, set }) => {
      await verification.recoverFactors({ ...body, ...kit.requester(request) })
      set.status = 204
    },
    {
      open: true,
      limit: 'login',
      parse: 'strictJson',
      body: FactorRecoveryBody,
      response: {
        204: answer('All second factors are removed', t.Void()),
        ...bodyProblems('invalid_or_expired', 'invalid_password', 'validation_failed', 'rate_limited', 'overloaded'),
      },
      detail: {
        operationId: 'finishFactorRecovery',
        summary: 'Remove your lost second factors',
        description:
          'Takes the token of the mail that an administrator has let Keyward send (`POST /admin/users/{id}/factor-recovery`), and the password. Removes all second factors and recovery codes, ends all sessions, and logs nobody in. A wrong password counts as a failed login, and the token stays good.',
        tags: ['accounts'],
      },
    },
  )
