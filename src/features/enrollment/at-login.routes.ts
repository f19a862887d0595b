import { Elysia } from 'elysia'
import { noteUser } from '../../http/caller.ts'
import type { HttpKit } from '../../http/kit.ts'
import { answer, bodyProblems } from '../../http/schemas.ts'
import { preferredLocale } from '../../lib/locale.ts'
import type { Sessions } from '../sessions/sessions.ts'
import {
  AddedAtLoginView,
  EnrollBody,
  EnrollConfirmBody,
  EnrollStep,
  EnrollTotpBody,
  toAddedAtLogin,
  toEnrollStep,
} from './at-login.schemas.ts'
import type { Enrollment } from './enrollment.ts'
import { PendingTotpView, toPendingTotpView } from './schemas.ts'

/** Routes with which programs add the factor that a login must have first. */
export const enrollmentAtLoginRoutes = (
  { enrollment, sessions }: { enrollment: Enrollment; sessions: Pick<Sessions, 'finishLogin'> },
  kit: HttpKit,
) =>
  new Elysia({ name: 'keyward.enrollment-at-login' })
    .use(kit.plugin)
    .post(
      '/token/enroll',
      async ({ request, body, set }) => {
        const locale = preferredLocale(request.headers.get('accept-language'))
        const of = { token: body.mfa_token, isBrowser: false, locale, ...kit.requester(request) }
        set.status = 202
        return toEnrollStep(await enrollment.prepareAtLogin(of))
      },
      {
        open: true,
        limit: ['mail', 'mfa'],
        oauth: true,
        parse: 'strictJson',
        body: EnrollBody,
        response: {
          202: answer('What comes next', EnrollStep),
          ...bodyProblems('mfa_token_expired', 'rate_limited'),
        },
        detail: {
          operationId: 'prepareEnrollment',
          summary: 'Begin a login that needs a new second factor',
          description:
            'For a login, or a route that adds a factor or changes the address, that answered `403` with the code `mfa_enrollment_required`: this service requires a second factor, and the account has none. Mails a code to the address of the account, because the password alone must not be enough to add a factor. Without mail, and after a login by mail, `challenge_id` is `null` and no code is needed. Go on with `POST /token/enroll/totp`.',
          tags: ['tokens'],
        },
      },
    )
    .post(
      '/token/enroll/totp',
      async ({ request, body, set }) => {
        const { mfa_token: token, challenge_id: challengeId, code, name } = body
        const of = { token, isBrowser: false, challengeId, code, name, ip: kit.clientIp(request) }
        const pending = await enrollment.beginTotpAtLogin(of)
        set.status = 201
        return toPendingTotpView(pending)
      },
      {
        open: true,
        limit: ['code', 'factor'],
        oauth: true,
        parse: 'strictJson',
        body: EnrollTotpBody,
        response: {
          201: answer('The secret, which is not shown again', PendingTotpView),
          ...bodyProblems('mfa_token_expired', 'invalid_code', 'too_many_factors', 'rate_limited'),
        },
        detail: {
          operationId: 'beginTotpAtLogin',
          summary: 'Begin to add an authenticator app at a login',
          description: 'The code of the mail is needed once. Nothing changes until `POST /token/enroll/confirm`.',
          tags: ['tokens'],
        },
      },
    )
    .post(
      '/token/enroll/confirm',
      async ({ request, body }) => {
        const { mfa_token: token, id, otp: code } = body
        const { begun, ...added } = await enrollment.confirmTotpAtLogin({
          token,
          id,
          code,
          origin: kit.origin(request),
        })
        const grant = await sessions.finishLogin(begun)
        noteUser(request, grant.userId)
        return toAddedAtLogin({ ...added, grant })
      },
      {
        open: true,
        limit: 'mfa',
        oauth: true,
        parse: 'strictJson',
        body: EnrollConfirmBody,
        response: {
          200: answer('The tokens, as from `POST /token`, and the recovery codes', AddedAtLoginView),
          ...bodyProblems('mfa_token_expired', 'invalid_code', 'factor_not_found', 'totp_locked', 'rate_limited'),
        },
        detail: {
          operationId: 'confirmTotpAtLogin',
          summary: 'Confirm the authenticator app, and log in',
          description:
            'Show the recovery codes to the user at once: no answer has them again. All other sessions of the user end. The `mfa_token` works for twenty minutes, for one success and five wrong codes.',
          tags: ['tokens'],
        },
      },
    )
