import { Elysia, type Static, t } from 'elysia'
import { noteUser, sessionOf } from '../../http/caller.ts'
import type { HttpKit } from '../../http/kit.ts'
import { locationFrom } from '../../http/location.ts'
import { answerParts } from '../../http/parts.ts'
import { pathOf } from '../../http/route-table.ts'
import { answer, bodyProblems, freshCodes, problems } from '../../http/schemas.ts'
import { preferredLocale } from '../../lib/locale.ts'
import { andThen } from '../../lib/maybe-promise.ts'
import type { Factors } from '../factors/factors.ts'
import { toUserView, UserView } from '../users/schemas.ts'
import type { Accounts } from './accounts.ts'
import {
  AccountExport,
  BriefUserView,
  PasswordChangeBody,
  PasswordProof,
  ProfileBody,
  RegisterBody,
  RegistrationAsked,
  registrationAsked,
  toBriefUserView,
} from './schemas.ts'

/**
 * Elysia reads the source text of handlers. It awaits the result of a handler with `=> f(…)` or `return f(…)`, because
 * `f` may return a promise. The variable `view` avoids this await, which the handler seldom needs.
 */
const readSelfWith =
  (factors: Pick<Factors, 'atLevel'>) =>
  ({ request }: { request: Request }) => {
    const { user, acr } = sessionOf(request)
    const view = andThen(factors.atLevel(user, acr), toUserView)
    return view
  }

interface OwnRequest {
  request: Request
  body: Static<typeof PasswordProof> | null
  set: { status?: number | string }
}

/**
 * The routes with which people register, read their account and change their password. Most of the paths are
 * those of the FastAPI services that Keyward replaces.
 */
export function accountRoutes(
  { accounts, factors }: { accounts: Accounts; factors: Pick<Factors, 'atLevel'> },
  kit: HttpKit,
) {
  const deleteSelf = async ({ request, body, set }: OwnRequest) => {
    await accounts.deleteOwn(sessionOf(request), { password: body?.password, ...kit.requester(request) })
    set.status = 204
  }
  const deletion = {
    access: 'user',
    fresh: true,
    limit: 'login',
    parse: 'optionalJson',
    body: t.Optional(PasswordProof),
    response: {
      204: answer('Your account is deleted', t.Void()),
      ...bodyProblems(...freshCodes, 'validation_failed', 'last_admin'),
    },
  } as const
  const deletionDescription =
    'Deletes your account and everything that is stored about you, at once and for good. Only your id stays, in audit events, and your username stays reserved, so that nobody takes your place. Access tokens that you already have are valid at other services until they expire. The last administrator is `409`.'

  return new Elysia({ name: 'keyward.accounts' })
    .use(kit.plugin)
    .post(
      '/register',
      async ({ request, body, set }) => {
        // `accounts.register` gets only these members of the body. A client must not set others, such as `admin`.
        const { email, username, password, name } = body
        const locale = body.locale ?? preferredLocale(request.headers.get('accept-language')) ?? null
        const from = kit.requester(request)
        const registration = { email, username, password, name: name ?? undefined, locale, ...from }
        if (accounts.needsProof) {
          const id = await accounts.askToRegister(registration)
          set.status = 202
          return { ...registrationAsked, challenge_id: id }
        }
        const user = await accounts.register(registration)
        noteUser(request, user.id)
        set.status = 201
        set.headers.location = locationFrom(pathOf(request.url), '/users/me')
        return toUserView(user)
      },
      {
        open: true,
        limit: 'register',
        parse: 'strictJson',
        body: RegisterBody,
        response: {
          201: answer('The new account', UserView, { Location: 'Where its owner reads it, relative to this address' }),
          202: answer('Only with `REQUIRE_EMAIL_VERIFICATION=true`: a mail is on its way', RegistrationAsked),
          ...bodyProblems(
            'registration_closed',
            'validation_failed',
            'email_taken',
            'username_taken',
            'rate_limited',
            'overloaded',
            'mail_not_configured',
          ),
        },
        detail: {
          operationId: 'register',
          summary: 'Register an account',
          description:
            'The password needs at least 8 characters (or more, as the server is configured). It must not be a common password, a simple pattern, your username or your email address. The `code` of a `409` says whether the email address or the username is taken. `403` means that registration is closed. With `REQUIRE_EMAIL_VERIFICATION=true` the answer is `202` for every address, and `POST /email/verify` creates the account.',
          tags: ['accounts'],
        },
      },
    )
    .get('/users/me', readSelfWith(factors), {
      access: 'user',
      response: { 200: answer('Your account', UserView), ...problems('not_authenticated', 'invalid_token') },
      detail: {
        operationId: 'getMe',
        summary: 'Get your account',
        description:
          '`roles` are those that count in this session: a role that requires a second factor is not in the list of a session without one, once the grace days are over.',
        tags: ['accounts'],
      },
    })
    .patch(
      '/users/me',
      async ({ request, body }) => {
        const { username, name, locale, email, current_password: password } = body
        const requestLocale = preferredLocale(request.headers.get('accept-language'))
        const profile = { username: username ?? undefined, name, locale, email: email ?? undefined }
        const change = { ...profile, password, requestLocale, ...kit.requester(request) }
        const caller = sessionOf(request)
        return toUserView(await factors.atLevel(await accounts.updateProfile(caller, change), caller.acr))
      },
      {
        access: 'user',
        limit: ['login', 'account', 'mail', 'mfa'],
        parse: 'strictJson',
        body: ProfileBody,
        response: {
          200: answer('Your account', UserView),
          ...bodyProblems(
            ...freshCodes,
            'mfa_enrollment_required',
            'validation_failed',
            'username_taken',
            'mail_not_configured',
          ),
        },
        detail: {
          operationId: 'updateMe',
          summary: 'Change your account',
          description:
            'Changes the members that you send. A new username is in your next access token. Your former username stays reserved for you; you can have ten of these. `email` needs `current_password`, or a login in the last 15 minutes. It changes nothing at once: the next address gets a mail with a link, and is yours once you confirm it. The answer is the same for an address that is taken. While a rule of this service withholds rights from you until you have a second factor, it is `403` `mfa_enrollment_required` as at `POST /users/me/factors/totp`.',
          tags: ['accounts'],
        },
      },
    )
    .delete('/users/me', deleteSelf, {
      ...deletion,
      detail: {
        operationId: 'deleteMe',
        summary: 'Delete your account',
        description: deletionDescription,
        tags: ['accounts'],
      },
    })
    .post('/users/me/delete', deleteSelf, {
      ...deletion,
      detail: {
        operationId: 'deleteMeByPost',
        summary: 'Delete your account',
        description: `Does what \`DELETE /users/me\` does, for clients that cannot send a body with DELETE. ${deletionDescription}`,
        tags: ['accounts'],
      },
    })
    .post(
      '/users/me/export',
      async ({ request, body }) => {
        const proof = { password: body?.password, ...kit.requester(request) }
        return answerParts(await accounts.exportOwn(sessionOf(request), proof))
      },
      {
        access: 'user',
        fresh: true,
        limit: ['login', 'account'],
        parse: 'optionalJson',
        body: t.Optional(PasswordProof),
        response: {
          200: answer('All that is stored about you', AccountExport),
          ...bodyProblems(...freshCodes, 'validation_failed'),
        },
        detail: {
          operationId: 'exportMe',
          summary: 'Export your data',
          description:
            'Answers all that is stored about you, as JSON. It holds no secrets: no password hash, no token and no API key. Registrations that wait for the proof of your address are not in it, because somebody else may have made them.',
          tags: ['accounts'],
        },
      },
    )
    .put(
      '/users/me/password',
      async ({ request, body, set }) => {
        await accounts.changePassword(sessionOf(request), {
          currentPassword: body.current_password,
          newPassword: body.new_password,
          ...kit.requester(request),
        })
        set.status = 204
      },
      {
        access: 'user',
        limit: ['login', 'account'],
        parse: 'strictJson',
        body: PasswordChangeBody,
        response: {
          204: answer('The password is changed', t.Void()),
          ...bodyProblems(
            'not_authenticated',
            'invalid_token',
            'reauthentication_required',
            'invalid_password',
            'validation_failed',
            'rate_limited',
            'overloaded',
          ),
        },
        detail: {
          operationId: 'changePassword',
          summary: 'Change your password',
          description:
            'All your other sessions end; this one stays. The rules for the new password are those of `POST /register`. A wrong current password is `403` and counts as a failed login. With a second factor, it must have been shown in the last 15 minutes.',
          tags: ['accounts'],
        },
      },
    )
    .get('/user/user', ({ request }) => toBriefUserView(sessionOf(request).user), {
      access: 'existing-user',
      response: {
        200: answer('Your account', BriefUserView),
        ...problems('not_authenticated', 'invalid_token', 'user_not_found'),
      },
      detail: {
        operationId: 'getMeCompat',
        summary: 'Get your account',
        description: 'Use `GET /users/me`, which returns more fields.',
        tags: ['compatibility'],
        deprecated: true,
      },
    })
}
