import { Elysia } from 'elysia'
import type { Deps } from '../../deps.ts'
import type { HttpKit } from '../../http/kit.ts'
import { principalOf } from '../../http/request-state.ts'
import { bodyProblems, problems, withHeaders } from '../../http/schemas.ts'
import type { Principal } from '../sessions/authenticate.ts'
import { toUserView, UserView } from '../users/schemas.ts'
import { login } from './login.ts'
import { register } from './register.ts'
import { BriefUserView, RegisterBody, TokenAnswer, TokenBody, toBriefUserView, toTokenAnswer } from './schemas.ts'
import { readPasswordGrant, type TokenRequest } from './token-request.ts'

/** The routes of the two FastAPI services that Keyward replaces. */
export function accountRoutes(deps: Deps, kit: HttpKit) {
  const token = async ({ request, body }: { request: Request; body: TokenRequest }) => {
    const attempt = { ...readPasswordGrant(body), client: kit.clientPrefix(request) }
    return toTokenAnswer(await login(deps, attempt))
  }
  const tokenRoute = {
    open: true,
    oauth: true,
    parse: 'formOrJson',
    body: TokenBody,
    response: {
      200: TokenAnswer,
      ...bodyProblems('unsupported_grant_type', 'invalid_credentials', 'invalid_client', 'overloaded'),
    },
  } as const

  return new Elysia({ name: 'keyward.accounts' })
    .use(kit.plugin)
    .post(
      '/register',
      async ({ request, body, set }) => {
        const user = await register(deps, { ...body, client: kit.clientPrefix(request) })
        set.status = 201
        set.headers.location = '/users/me'
        return toUserView(user)
      },
      {
        open: true,
        parse: 'strictJson',
        body: RegisterBody,
        response: {
          201: withHeaders(UserView, { Location: 'Where its owner reads it' }),
          ...bodyProblems('validation_failed', 'email_taken', 'username_taken', 'overloaded'),
        },
        detail: { summary: 'Register an account', tags: ['accounts'] },
      },
    )
    .post('/token', token, { ...tokenRoute, detail: { summary: 'Log in', tags: ['tokens'] } })
    .post('/user/token', token, {
      ...tokenRoute,
      detail: { summary: 'Log in (as the second FastAPI service has it)', tags: ['tokens'] },
    })
    .get('/users/me', ({ request }) => toUserView(principalOf<Principal>(request).user), {
      access: 'user',
      response: { 200: UserView, ...problems('not_authenticated', 'invalid_token') },
      detail: { summary: 'Read the own account', tags: ['accounts'] },
    })
    .get('/user/user', ({ request }) => toBriefUserView(principalOf<Principal>(request).user), {
      access: 'existing-user',
      response: { 200: BriefUserView, ...problems('not_authenticated', 'invalid_token', 'user_not_found') },
      detail: { summary: 'Read the own account (as the second FastAPI service has it)', tags: ['accounts'] },
    })
}
