import { Elysia, t } from 'elysia'
import { noteUser, sessionOf } from '../../http/caller.ts'
import type { HttpKit } from '../../http/kit.ts'
import { answer, bodyProblems } from '../../http/schemas.ts'
import { TokenPair, toTokenPair } from '../sessions/schemas.ts'
import { grantOf, type Sessions } from '../sessions/sessions.ts'
import type { Accounts } from './accounts.ts'
import { TokenAnswer, toTokenAnswer } from './schemas.ts'
import {
  FactorMethods,
  readFactorAnswer,
  readStepUp,
  readTrust,
  SecondFactorBody,
  StepUpBody,
  StepUpMethods,
  toFactorMethods,
  toStepUpMethods,
} from './second-factor.schemas.ts'

/** The routes with which programs show a second factor. */
export const secondFactorRoutes = (
  { accounts, sessions }: { accounts: Accounts; sessions: Pick<Sessions, 'describeFactor'> },
  kit: HttpKit,
) =>
  new Elysia({ name: 'keyward.second-factor' })
    .use(kit.plugin)
    .post(
      '/token/mfa',
      async ({ request, body }) => {
        const token = body.mfa_token
        const factor = readFactorAnswer(body)
        if (!factor)
          return toFactorMethods(await sessions.describeFactor({ token, isBrowser: false, withOptions: true }))
        const trustDevice = readTrust(body.trust_device)
        const origin = kit.origin(request)
        const grant = await accounts.answerFactor({ token, answer: factor, origin, trustDevice })
        noteUser(request, grant.userId)
        return toTokenAnswer(grant)
      },
      {
        open: true,
        limit: 'mfa',
        oauth: true,
        parse: 'strictJson',
        body: SecondFactorBody,
        response: {
          200: answer(
            'The tokens, as from `POST /token`. Without a second factor in the request, only the methods',
            t.Union([TokenAnswer, FactorMethods]),
          ),
          ...bodyProblems('invalid_code', 'mfa_token_expired', 'webauthn_failed', 'totp_locked', 'rate_limited'),
        },
        detail: {
          operationId: 'answerSecondFactor',
          summary: 'Show the second factor of a login',
          description:
            'Ends a login that answered `403` with the code `mfa_required`. The `mfa_token` works for five minutes, for one success and five wrong codes. Each code of an authenticator app works once. Without `otp`, `recovery_code` and `webauthn` the answer lists the methods, and has new request options for WebAuthn if the account has a passkey or security key; this uses up no try. With `trust_device`, the answer has a `trusted_device_token` where `TRUSTED_DEVICE_DAYS` allows it; a recovery code trusts no device. `POST /token` with `grant_type=urn:keyward:oauth:grant-type:mfa` and the same parameters does the same.',
          tags: ['tokens'],
        },
      },
    )
    .post(
      '/token/step-up',
      async ({ request, body }) => {
        const caller = sessionOf(request)
        const shown = readStepUp(body)
        if (shown) return toTokenPair(grantOf(await accounts.stepUp(caller, { shown, ...kit.requester(request) })))
        return toStepUpMethods(await accounts.describeStepUp(caller, { withOptions: true }))
      },
      {
        access: 'user',
        limit: ['login', 'mfa', 'account'],
        oauth: true,
        parse: 'strictJson',
        body: StepUpBody,
        response: {
          200: answer(
            'New tokens of the same session. Without an answer in the request, only the methods',
            t.Union([TokenPair, StepUpMethods]),
          ),
          ...bodyProblems(
            'not_authenticated',
            'invalid_token',
            'invalid_code',
            'webauthn_failed',
            'invalid_password',
            'totp_locked',
            'rate_limited',
            'overloaded',
          ),
        },
        detail: {
          operationId: 'stepUp',
          summary: 'Show a credential again in your session',
          description:
            'After `401` with the code `reauthentication_required`: send one of `otp`, `recovery_code`, `webauthn` and `password`. The tokens are of the same session, and replace the ones that you have. With a second factor, `acr` is `aal2` or `phr`, and what needs a fresh login works for 15 minutes. For an account with a second factor, the password alone is not enough. Without an answer in the body, the methods and new request options for WebAuthn come back.',
          tags: ['tokens'],
        },
      },
    )
