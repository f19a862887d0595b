import { Elysia } from 'elysia'
import { invalidField, KeywardError, MISSING } from '../../errors.ts'
import { noteUser } from '../../http/caller.ts'
import type { HttpKit } from '../../http/kit.ts'
import { answer, bodyProblems } from '../../http/schemas.ts'
import { type SentClient, sentClient } from '../../http/sent-client.ts'
import type { Accounts } from '../accounts/accounts.ts'
import { toTokenAnswer } from '../accounts/schemas.ts'
import { readFactorAnswer, readTrust, readWebauthn } from '../accounts/second-factor.schemas.ts'
import type { Clients } from '../clients/clients.ts'
import type { Sessions } from '../sessions/sessions.ts'
import { DEVICE_CODE_GRANT, type OpenId } from './openid.ts'
import { TokenEndpointAnswer, TokenEndpointBody, toClientAnswer } from './schemas.ts'
import {
  asInvalidGrant,
  isClientGrant,
  MFA_GRANT,
  PASSKEY_GRANT,
  readCodeExchange,
  required,
  type TokenRequest,
} from './token-request.ts'

export interface TokenRoutesNeeds {
  accounts: Accounts
  sessions: Sessions
  clients: Clients
  openid: OpenId
}

interface TokenContext {
  request: Request
  body: TokenRequest
}

/** The token endpoint (RFC 6749 section 3.2), for people's own programs and for registered clients. */
export function tokenEndpointRoutes({ accounts, sessions, clients, openid }: TokenRoutesNeeds, kit: HttpKit) {
  /** Credentials of a client that is not registered are ignored, as the services that Keyward replaces do. */
  async function logIn({ request, body }: TokenContext, sent: SentClient | undefined) {
    if (!openid.hasPasswordGrant) throw new KeywardError('unsupported_grant_type')
    if (sent && (await clients.find(sent.id))) throw new KeywardError('unauthorized_client')
    const { username, password } = required(body, ['username', 'password'])
    const origin = kit.origin(request)
    const grant = await accounts.logIn({
      identifier: username,
      password,
      deviceToken: body.device_token || undefined,
      otp: body.otp || undefined,
      trustedToken: body.trusted_device_token || undefined,
      trustDevice: readTrust(body.trust_device),
      asked: { scope: body.scope ?? undefined },
      origin,
      client: kit.clientPrefix(request),
    })
    noteUser(request, grant.userId)
    return toTokenAnswer(grant)
  }

  async function answerFactor({ request, body }: TokenContext) {
    const { mfa_token: token } = required(body, ['mfa_token'])
    const factor = readFactorAnswer(body)
    if (!factor) throw invalidField('otp', `${MISSING}; recovery_code or webauthn can stand in its place`)
    const trustDevice = readTrust(body.trust_device)
    const grant = await accounts.answerFactor({ token, answer: factor, origin: kit.origin(request), trustDevice })
    noteUser(request, grant.userId)
    return toTokenAnswer(grant)
  }

  async function logInWithPasskey({ request, body }: TokenContext) {
    const { credential } = required(body, ['credential'])
    const grant = await accounts.logInWithPasskey({
      response: readWebauthn('credential', credential),
      deviceToken: body.device_token || undefined,
      asked: { scope: body.scope ?? undefined },
      origin: kit.origin(request),
      client: kit.clientPrefix(request),
    })
    noteUser(request, grant.userId)
    return toTokenAnswer(grant)
  }

  async function refresh({ request, body }: TokenContext, sent: SentClient | undefined) {
    const { refresh_token: refreshToken } = required(body, ['refresh_token'])
    const origin = kit.origin(request)
    const scope = body.scope || undefined
    const client = sent && (await clients.identify({ ...sent, ...kit.requester(request) }))
    if (client) return forClient(request, await openid.refresh(client, { refreshToken, scope }, origin))
    if (await sessions.clientOf(refreshToken)) throw new KeywardError('invalid_client')
    const grant = await sessions.refresh(refreshToken, origin, { scope }).catch(asInvalidGrant)
    noteUser(request, grant.userId)
    return toTokenAnswer(grant)
  }

  async function grantToClient({ request, body }: TokenContext, sent: SentClient | undefined) {
    if (!sent) throw new KeywardError('invalid_client')
    const client = await clients.authenticate({ ...sent, ...kit.requester(request) })
    if (body.grant_type === 'client_credentials')
      return openid.clientCredentials(client, { scope: body.scope || undefined, resource: body.resource || undefined })
    if (body.grant_type === DEVICE_CODE_GRANT)
      return openid.pollDevice(client, required(body, ['device_code']).device_code, kit.origin(request))
    return openid.exchangeCode(client, readCodeExchange(body), kit.origin(request))
  }

  function forClient(request: Request, grant: Awaited<ReturnType<OpenId['exchangeCode']>>) {
    if (grant.userId !== undefined) noteUser(request, grant.userId)
    return toClientAnswer(grant)
  }

  /**
   * `grant_type` is case-sensitive. Without it the grant is `password`, because clients of FastAPI services omit it.
   * Elysia reads the parameter: for a whole context it would also parse cookies, query and headers of every request.
   */
  const token = async ({ request, body }: TokenContext) => {
    const context = { request, body }
    const sent = sentClient(request, body)
    const type = body.grant_type || 'password'
    if (type === 'password') return logIn(context, sent)
    if (type === 'refresh_token') return refresh(context, sent)
    if (type === MFA_GRANT) return answerFactor(context)
    if (type === PASSKEY_GRANT && openid.hasPasskeys) return logInWithPasskey(context)
    if (openid.isProvider && isClientGrant(type)) return forClient(request, await grantToClient(context, sent))
    throw new KeywardError('unsupported_grant_type')
  }

  const route = {
    open: true,
    limit: ['login', 'client', 'mfa', 'passkey'],
    oauth: true,
    parse: 'anyForm',
    body: TokenEndpointBody,
    response: {
      200: answer(
        'The tokens: a refresh token unless the grant has none, a device token after a login, an ID token with the scope `openid`',
        TokenEndpointAnswer,
      ),
      ...bodyProblems(
        'unsupported_grant_type',
        'invalid_grant',
        'invalid_credentials',
        'invalid_client',
        'unauthorized_client',
        'invalid_scope',
        'invalid_target',
        'access_denied',
        'authorization_pending',
        'slow_down',
        'expired_token',
        'mfa_required',
        'mfa_enrollment_required',
        'mfa_token_expired',
        'invalid_code',
        'webauthn_failed',
        'totp_locked',
        'invalid_passkey',
        'unknown_passkey',
        'rate_limited',
        'overloaded',
      ),
    },
  } as const

  return new Elysia({ name: 'keyward.token-endpoint' })
    .use(kit.plugin)
    .post('/token', token, {
      ...route,
      detail: {
        operationId: 'login',
        summary: 'Log in, or get tokens for a client',
        description: tokenDescription,
        tags: ['tokens'],
      },
    })
    .post('/user/token', token, {
      ...route,
      detail: {
        operationId: 'loginCompat',
        summary: 'Log in',
        description: 'Use `POST /token`, which does the same.',
        tags: ['compatibility'],
        deprecated: true,
      },
    })
}

const tokenDescription =
  '`username` takes your username or your email address. Send the `device_token` of an earlier login from the same device: with it you can log in even while others guess your password. With `grant_type=refresh_token` and `refresh_token` it does what `POST /token/refresh` does. A registered client sends `grant_type=authorization_code` with `code`, `redirect_uri` and `code_verifier`, or `refresh_token`, or `client_credentials`, and authenticates by Basic or with `client_id` and `client_secret`.'
