import { Elysia, t } from 'elysia'
import type { HttpKit } from '../../http/kit.ts'
import { answer, bodyProblems } from '../../http/schemas.ts'
import { preferredLocale } from '../../lib/locale.ts'
import { ForgotPasswordBody, MailAsked, mailAsked, ResetPasswordBody } from './schemas.ts'
import type { Verification } from './verification.ts'

/** Routes that send mails with links and codes, and that take what stands in them. */
export function verificationRoutes(verification: Verification, kit: HttpKit) {
  return new Elysia({ name: 'keyward.verification' })
    .use(kit.plugin)
    .post(
      '/password/forgot',
      async ({ request, body, set }) => {
        const locale = preferredLocale(request.headers.get('accept-language'))
        await verification.forgotPassword({ email: body.email, locale, ...kit.requester(request) })
        set.status = 202
        return mailAsked
      },
      {
        open: true,
        limit: 'mail',
        parse: 'strictJson',
        body: ForgotPasswordBody,
        response: {
          202: answer('A mail is on its way, if an account has this address', MailAsked),
          ...bodyProblems('validation_failed', 'rate_limited', 'mail_not_configured'),
        },
        detail: {
          operationId: 'forgotPassword',
          summary: 'Ask for a link to choose a new password',
          description:
            'The answer is the same for every address. The link in the mail works once, for 30 minutes; a new link voids the old one.',
          tags: ['accounts'],
        },
      },
    )
    .post(
      '/password/reset',
      async ({ request, body, set }) => {
        const { token, password } = body
        await verification.resetPassword({ token, password, ...kit.requester(request) })
        set.status = 204
      },
      {
        open: true,
        limit: { none: 'the token has 256 random bits; without it no password is hashed' },
        parse: 'strictJson',
        body: ResetPasswordBody,
        response: {
          204: answer('The password is changed', t.Void()),
          ...bodyProblems('invalid_or_expired', 'validation_failed', 'overloaded'),
        },
        detail: {
          operationId: 'resetPassword',
          summary: 'Choose a new password',
          description:
            'Takes the token of the mail that `POST /password/forgot` sends. All sessions of the account end, and nobody is logged in. The mail proves the address. After `422` the token stays good.',
          tags: ['accounts'],
        },
      },
    )
}
