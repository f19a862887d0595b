import { Elysia, t } from 'elysia'
import { sessionOf } from '../../http/caller.ts'
import type { HttpKit } from '../../http/kit.ts'
import { answer, bodyProblems, freshCodes, problems } from '../../http/schemas.ts'
import { PasswordProof } from '../accounts/schemas.ts'
import type { Enrollment } from './enrollment.ts'
import {
  AddedFactor,
  addCodes,
  ConfirmTotpBody,
  FactorList,
  FactorNameBody,
  FactorPath,
  FactorView,
  NewTotpBody,
  overdueText,
  PendingTotpView,
  RecoveryCodes,
  RemovalProof,
  toAddedFactor,
  toFactorList,
  toFactorView,
  toPendingTotpView,
} from './schemas.ts'

const others = 'All your other sessions end, and you get a mail.'

/** Routes with which people see and change their own second factors. */
export const enrollmentRoutes = (enrollment: Enrollment, kit: HttpKit) =>
  new Elysia({ name: 'keyward.enrollment' })
    .use(kit.plugin)
    .get('/users/me/factors', async ({ request }) => toFactorList(await enrollment.list(sessionOf(request))), {
      access: 'user',
      response: { 200: answer('Your second factors', FactorList), ...problems('not_authenticated', 'invalid_token') },
      detail: {
        operationId: 'listFactors',
        summary: 'List your second factors',
        description: 'One that no code has confirmed yet is not in the list.',
        tags: ['factors'],
      },
    })
    .post(
      '/users/me/factors/totp',
      async ({ request, body, set }) => {
        const of = { name: body?.name, password: body?.password, ...kit.requester(request) }
        const pending = await enrollment.beginTotp(sessionOf(request), of)
        set.status = 201
        return toPendingTotpView(pending)
      },
      {
        access: 'user',
        fresh: true,
        limit: ['login', 'factor', 'mfa'],
        parse: 'optionalJson',
        body: t.Optional(NewTotpBody),
        response: {
          201: answer('The secret, which is not shown again', PendingTotpView),
          ...bodyProblems(...freshCodes, ...addCodes, 'validation_failed'),
        },
        detail: {
          operationId: 'beginTotp',
          summary: 'Begin to add an authenticator app',
          description: `Nothing changes until its first code confirms it, within ten minutes. Another one that waits is dropped. ${overdueText}`,
          tags: ['factors'],
        },
      },
    )
    .post(
      '/users/me/factors/totp/:id/confirm',
      async ({ request, params, body }) => {
        const of = { id: params.id, code: body.code, password: body.password, ...kit.requester(request) }
        return toAddedFactor(await enrollment.confirmTotp(sessionOf(request), of))
      },
      {
        access: 'user',
        fresh: true,
        limit: ['login', 'mfa'],
        params: FactorPath,
        parse: 'strictJson',
        body: ConfirmTotpBody,
        response: {
          200: answer('The factor, and new tokens of this session', AddedFactor),
          ...bodyProblems(
            ...freshCodes,
            ...addCodes,
            'validation_failed',
            'invalid_code',
            'totp_locked',
            'factor_not_found',
          ),
        },
        detail: {
          operationId: 'confirmTotp',
          summary: 'Confirm an authenticator app',
          description: `From now on, every login asks for a second factor. Show the recovery codes to the user at once: no answer has them again. ${others} A wrong code counts like one of a login. ${overdueText}`,
          tags: ['factors'],
        },
      },
    )
    .patch(
      '/users/me/factors/:id',
      async ({ request, params, body }) => {
        const of = { id: params.id, name: body.name, ip: kit.clientIp(request) }
        return toFactorView(await enrollment.rename(sessionOf(request), of))
      },
      {
        access: 'user',
        limit: 'factor',
        params: FactorPath,
        parse: 'strictJson',
        body: FactorNameBody,
        response: {
          200: answer('The factor', FactorView),
          ...bodyProblems(
            'not_authenticated',
            'invalid_token',
            'validation_failed',
            'factor_not_found',
            'rate_limited',
          ),
        },
        detail: { operationId: 'renameFactor', summary: 'Rename one of your second factors', tags: ['factors'] },
      },
    )
    .delete(
      '/users/me/factors/:id',
      async ({ request, params, body, set }) => {
        const of = { id: params.id, password: body?.password, ...kit.requester(request) }
        await enrollment.remove(sessionOf(request), of)
        set.status = 204
      },
      {
        access: 'user',
        fresh: true,
        limit: ['login', 'factor'],
        params: FactorPath,
        parse: 'optionalJson',
        body: t.Optional(RemovalProof),
        response: {
          204: answer('The factor is not accepted any more', t.Void()),
          ...bodyProblems(
            ...freshCodes,
            'validation_failed',
            'factor_not_found',
            'factor_required',
            'last_login_method',
          ),
        },
        detail: {
          operationId: 'removeFactor',
          summary: 'Remove one of your second factors',
          description: `Needs your password in the body, beside a fresh check of a second factor. With the last factor, the recovery codes go too. ${others} \`409\`: a rule of this service wants a factor, or nothing else logs you in.`,
          tags: ['factors'],
        },
      },
    )
    .post(
      '/users/me/recovery-codes',
      async ({ request, body, set }) => {
        const proof = { password: body?.password, ...kit.requester(request) }
        const codes = await enrollment.renewCodes(sessionOf(request), proof)
        set.status = 201
        return { codes }
      },
      {
        access: 'user',
        fresh: true,
        limit: ['login', 'factor'],
        parse: 'optionalJson',
        body: t.Optional(PasswordProof),
        response: {
          201: answer('Your new recovery codes, which are not shown again', RecoveryCodes),
          ...bodyProblems(...freshCodes, 'validation_failed', 'no_factor'),
        },
        detail: {
          operationId: 'renewRecoveryCodes',
          summary: 'Make new recovery codes',
          description: `The former ones do not work any more. ${others}`,
          tags: ['factors'],
        },
      },
    )
