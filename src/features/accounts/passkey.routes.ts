import { Elysia } from 'elysia'
import { noteUser } from '../../http/caller.ts'
import type { HttpKit } from '../../http/kit.ts'
import { answer, bodyProblems, plainProblems } from '../../http/schemas.ts'
import type { Factors } from '../factors/factors.ts'
import type { Accounts } from './accounts.ts'
import { PasskeyBody, PasskeyOptions } from './passkey.schemas.ts'
import { TokenAnswer, toTokenAnswer } from './schemas.ts'

/** The routes with which programs log people in with a passkey alone. */
export const passkeyRoutes = (
  { accounts, factors }: { accounts: Pick<Accounts, 'logInWithPasskey'>; factors: Pick<Factors, 'askForPasskey'> },
  kit: HttpKit,
) =>
  new Elysia({ name: 'keyward.passkeys' })
    .use(kit.plugin)
    .post(
      '/passkeys/options',
      ({ set }) => {
        set.headers['cache-control'] = 'no-store'
        const { options, expiresIn } = factors.askForPasskey()
        return { options: { ...options }, expires_in: expiresIn }
      },
      {
        open: true,
        limit: { none: 'it reads nothing and stores nothing' },
        response: {
          200: answer('The options, which are for everybody and for one login', PasskeyOptions),
          ...plainProblems('not_found'),
        },
        detail: {
          operationId: 'askForPasskey',
          summary: 'Begin a login with a passkey',
          description:
            'Gives the options for `navigator.credentials.get`. They name no account: the browser offers the passkeys that it has. The challenge works once, for five minutes. `404` with `PASSKEYS=off`.',
          tags: ['tokens'],
        },
      },
    )
    .post(
      '/token/passkey',
      async ({ request, body }) => {
        const grant = await accounts.logInWithPasskey({
          response: body.credential,
          deviceToken: body.device_token || undefined,
          asked: { scope: body.scope ?? undefined },
          origin: kit.origin(request),
          client: kit.clientPrefix(request),
        })
        noteUser(request, grant.userId)
        return toTokenAnswer(grant)
      },
      {
        open: true,
        limit: ['passkey', 'login'],
        oauth: true,
        parse: 'strictJson',
        body: PasskeyBody,
        response: {
          200: answer('The tokens, as from `POST /token`', TokenAnswer),
          ...bodyProblems('invalid_passkey', 'unknown_passkey', 'not_found', 'rate_limited'),
        },
        detail: {
          operationId: 'loginWithPasskey',
          summary: 'Log in with a passkey',
          description:
            'Ends what `POST /passkeys/options` began. A passkey verifies its user, so it is both factors: no other one is asked for, and the level of the session is `phr`. A security key is not accepted here. `unknown_passkey`: no account has it, so the page may call `PublicKeyCredential.signalUnknownCredential`. `POST /token` with `grant_type=urn:keyward:oauth:grant-type:passkey` and `credential` as JSON text does the same.',
          tags: ['tokens'],
        },
      },
    )
