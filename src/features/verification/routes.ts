import { Elysia, t } from 'elysia'
import { KeywardError } from '../../errors.ts'
import { noteUser } from '../../http/caller.ts'
import { bearerToken } from '../../http/guard.ts'
import type { HttpKit } from '../../http/kit.ts'
import { answer, bodyProblems } from '../../http/schemas.ts'
import { SECOND } from '../../lib/clock.ts'
import { preferredLocale } from '../../lib/locale.ts'
import { TokenAnswer, toTokenAnswer } from '../accounts/schemas.ts'
import { tokenLifetimes } from '../proofs/proofs.ts'
import type { Sessions } from '../sessions/sessions.ts'
import { toUserView, UserView } from '../users/schemas.ts'
import {
  AskToLogInBody,
  AskToVerifyBody,
  Challenge,
  ConfirmEmailBody,
  ForgotPasswordBody,
  MailAsked,
  MailLoginBody,
  mailAsked,
  ResetPasswordBody,
  UndoEmailBody,
  VerifyEmailBody,
} from './schemas.ts'
import type { Shown } from './shown.ts'
import type { Verification } from './verification.ts'

/** Routes that send mails with links and codes, and routes that accept these links and codes. */
export function verificationRoutes(
  { verification, sessions }: { verification: Verification; sessions: Pick<Sessions, 'authenticate'> },
  kit: HttpKit,
) {
  const asking = (request: Request) => ({
    locale: preferredLocale(request.headers.get('accept-language')),
    ...kit.requester(request),
  })
  /** The session of an access token, on a route that also works without one. */
  const callerIfAny = async (request: Request) =>
    request.headers.has('authorization') ? await sessions.authenticate(bearerToken(request)) : undefined

  return new Elysia({ name: 'keyward.verification' })
    .use(kit.plugin)
    .post(
      '/password/forgot',
      async ({ request, body, set }) => {
        await verification.forgotPassword({ email: body.email, ...asking(request) })
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
    .post(
      '/email/verification',
      async ({ request, body, set }) => {
        const email = body.email ?? (await callerIfAny(request))?.user.email
        if (email === undefined) throw missingEmail()
        const id = await verification.askToVerify({ email, ...asking(request) })
        set.status = 202
        return { challenge_id: id, expires_in: tokenLifetimes.verify_email / SECOND }
      },
      {
        open: true,
        limit: 'mail',
        parse: 'strictJson',
        body: AskToVerifyBody,
        response: {
          202: answer('A mail is on its way, if an account has this address and has not proved it', Challenge),
          ...bodyProblems(
            'not_authenticated',
            'invalid_token',
            'validation_failed',
            'rate_limited',
            'mail_not_configured',
          ),
        },
        detail: {
          operationId: 'askToVerifyEmail',
          summary: 'Ask for a mail that proves your address',
          description:
            'Send `email`, or an access token and `{}`. The answer is the same for every address. The link in the mail works once, for 24 hours, and the code for 10 minutes.',
          tags: ['accounts'],
        },
      },
    )
    .post(
      '/email/verify',
      async ({ request, body }) => {
        const { password, new_password: newPassword, username } = body
        const caller = password == null && newPassword == null ? await callerIfAny(request) : undefined
        const proof = { ...shownIn(body), password, newPassword, username, caller, ...asking(request) }
        const user = await verification.verifyEmail(proof)
        noteUser(request, user.id)
        return toUserView(user)
      },
      {
        open: true,
        limit: ['code', 'login'],
        parse: 'strictJson',
        body: VerifyEmailBody,
        response: {
          200: answer('Your account, with the proved address', UserView),
          ...bodyProblems(
            'not_authenticated',
            'invalid_token',
            'invalid_or_expired',
            'proof_required',
            'invalid_password',
            'username_taken',
            'validation_failed',
            'rate_limited',
            'overloaded',
          ),
        },
        detail: {
          operationId: 'verifyEmail',
          summary: 'Prove your address',
          description:
            'Send the `token` of the mail, or its `code` with the `challenge_id`. Also show that the account is yours: by its `password`, by an access token of the account, or by a `new_password`. A new password drops everything that was set before the proof: the old password, sessions and API keys. Somebody else may have made the account with your address. With `REQUIRE_EMAIL_VERIFICATION=true` this request ends a registration: it creates the account, with the `password` of the registration or a `new_password`. `409` means that the username was taken meanwhile; the proof stays good, and `username` sets another.',
          tags: ['accounts'],
        },
      },
    )
    .post(
      '/email/change/confirm',
      async ({ request, body }) => {
        const change = { token: body.token, caller: await callerIfAny(request), ip: kit.clientIp(request) }
        const user = await verification.confirmEmail(change)
        noteUser(request, user.id)
        return toUserView(user)
      },
      {
        open: true,
        limit: { none: 'the token has 256 random bits' },
        parse: 'strictJson',
        body: ConfirmEmailBody,
        response: {
          200: answer('Your account, with the new address', UserView),
          ...bodyProblems(
            'not_authenticated',
            'invalid_token',
            'invalid_or_expired',
            'email_taken',
            'validation_failed',
            'mail_not_configured',
          ),
        },
        detail: {
          operationId: 'confirmEmail',
          summary: 'Confirm your new address',
          description:
            'Takes the token of the mail to the next address, which `PATCH /users/me` sends. It works once, for 24 hours. All sessions end; with an access token of the account, its session stays. The former address gets a mail with a link that undoes the change for 72 hours; until then nobody else can have it.',
          tags: ['accounts'],
        },
      },
    )
    .post(
      '/email/undo',
      async ({ request, body, set }) => {
        await verification.undoEmail({ token: body.token, ip: kit.clientIp(request) })
        set.status = 204
      },
      {
        open: true,
        limit: { none: 'the token has 256 random bits' },
        parse: 'strictJson',
        body: UndoEmailBody,
        response: {
          204: answer('The former address is back', t.Void()),
          ...bodyProblems('invalid_or_expired', 'validation_failed', 'mail_not_configured'),
        },
        detail: {
          operationId: 'undoEmail',
          summary: 'Undo a change of address',
          description:
            'Takes the token of the mail to the former address, once, for 72 hours. The address comes back, all sessions end, the password is removed, API keys are revoked, and a link to choose a new password is sent to the address.',
          tags: ['accounts'],
        },
      },
    )
    .post(
      '/login/email',
      async ({ request, body, set }) => {
        const { id, lifetime } = await verification.askToLogIn({ email: body.email, ...asking(request) })
        set.status = 202
        return { challenge_id: id, expires_in: lifetime / SECOND }
      },
      {
        open: true,
        limit: 'mail',
        parse: 'strictJson',
        body: AskToLogInBody,
        response: {
          202: answer('A mail is on its way, if an account has this address', Challenge),
          ...bodyProblems('not_found', 'validation_failed', 'rate_limited', 'mail_not_configured'),
        },
        detail: {
          operationId: 'askToLogIn',
          summary: 'Ask for a mail to log in without a password',
          description:
            'Only with `EMAIL_LOGIN=on`. The answer is the same for every address. The code in the mail works for 10 minutes, and its link, which leads to your `LOGIN_URL`, for 30 minutes. Without `LOGIN_URL` the mail has no link, and `expires_in` is that of the code.',
          tags: ['tokens'],
        },
      },
    )
    .post(
      '/login/email/verify',
      async ({ request, body }) => {
        const grant = await verification.logInByMail({
          ...shownIn(body),
          deviceToken: body.device_token,
          asked: { scope: body.scope ?? undefined },
          origin: kit.origin(request),
        })
        noteUser(request, grant.userId)
        return toTokenAnswer(grant)
      },
      {
        open: true,
        limit: ['code', 'mfa'],
        parse: 'strictJson',
        body: MailLoginBody,
        response: {
          200: answer('A token pair and a device token', TokenAnswer),
          ...bodyProblems(
            'not_found',
            'invalid_or_expired',
            'mfa_required',
            'mfa_enrollment_required',
            'validation_failed',
            'rate_limited',
          ),
        },
        detail: {
          operationId: 'logInByMail',
          summary: 'Log in with a mail',
          description:
            'Send the `code` of the mail with the `challenge_id`, or the `token` of its link. Five wrong codes end a code. If the address was not proved before, this login proves it, and drops the password, sessions and API keys that were set before.',
          tags: ['tokens'],
        },
      },
    )
}

const shownIn = (body: { token?: string | null; challenge_id?: string | null; code?: string | null }): Shown => ({
  token: body.token,
  challengeId: body.challenge_id,
  code: body.code,
})

const missingEmail = () =>
  new KeywardError('validation_failed', {
    errors: [{ field: 'email', message: 'is missing; without it, send an access token of your account' }],
  })
