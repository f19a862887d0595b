import { type ErrorCode, type FactorChallenge, type FieldError, KeywardError, refusalIn } from '../errors.ts'
import { errorFields, type Log } from '../lib/log.ts'
import type { Exchange } from './exchange.ts'

/**
 * The member `error` of a refusal on an OAuth route, by error code. The values are from RFC 6749 section 5.2, except for
 * `mfa_required` and `mfa_enrollment_required`, which other servers use too, and for
 * `temporarily_unavailable` and `server_error`. These are from section 4.1.2.1, because section 5.2 has no value for a
 * refusal that is not the fault of the request. A code without an entry gives `invalid_request`.
 */
const oauthErrors: Partial<Record<ErrorCode, string>> = {
  invalid_credentials: 'invalid_grant',
  invalid_grant: 'invalid_grant',
  invalid_refresh_token: 'invalid_grant',
  invalid_client: 'invalid_client',
  unsupported_grant_type: 'unsupported_grant_type',
  unauthorized_client: 'unauthorized_client',
  invalid_scope: 'invalid_scope',
  invalid_target: 'invalid_target',
  authorization_pending: 'authorization_pending',
  slow_down: 'slow_down',
  access_denied: 'access_denied',
  expired_token: 'expired_token',
  mfa_required: 'mfa_required',
  mfa_enrollment_required: 'mfa_enrollment_required',
  mfa_token_expired: 'invalid_grant',
  invalid_code: 'invalid_grant',
  totp_locked: 'invalid_grant',
  webauthn_failed: 'invalid_grant',
  invalid_passkey: 'invalid_grant',
  unknown_passkey: 'invalid_grant',
  not_authenticated: 'invalid_client',
  invalid_token: 'invalid_client',
  forbidden: 'unauthorized_client',
  insufficient_scope: 'unauthorized_client',
  database_busy: 'temporarily_unavailable',
  database_unavailable: 'temporarily_unavailable',
  overloaded: 'temporarily_unavailable',
  rate_limited: 'temporarily_unavailable',
  shutting_down: 'temporarily_unavailable',
  internal: 'server_error',
}

const titles: Record<number, string> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  409: 'Conflict',
  413: 'Content Too Large',
  415: 'Unsupported Media Type',
  422: 'Unprocessable Content',
  429: 'Too Many Requests',
  500: 'Internal Server Error',
  503: 'Service Unavailable',
}

/**
 * Returns the refusal for any error. An error that Keyward does not expect becomes `internal`, whose cause only the log
 * shows.
 */
export function asRefusal(error: unknown): KeywardError {
  return refusalIn(error) ?? new KeywardError('internal', { cause: error })
}

/** Replaces `validation_failed` by `invalid_request`, because RFC 6749 does not use status 422. */
const asOAuth = (refusal: KeywardError): KeywardError =>
  refusal.code === 'validation_failed'
    ? new KeywardError('invalid_request', { errors: refusal.errors, sentence: refusal.message })
    : refusal

/**
 * Returns the media type of a refusal. On an OAuth route it is `application/json`, as RFC 6749 section 5.2 requires;
 * RFC 7009 and RFC 7662 refer to that section. OAuth client libraries read no errors in a body of another media type.
 */
export const problemType = (oauth: boolean): string => (oauth ? 'application/json' : 'application/problem+json')

/**
 * Makes the problem document (RFC 9457) of a refusal.
 * @param oauth true adds the members `error` and `error_description` of RFC 6749 section 5.2
 */
export function problemOf(refusal: KeywardError, oauth: boolean) {
  const { code, status, errors, challenge } = refusal
  const message = sentenceOf(refusal)
  const detail = errors && oauth ? `${message}: ${sentences(errors)}` : message
  return {
    type: 'about:blank',
    title: titles[status],
    status,
    detail,
    code,
    ...(errors && { errors: errors.map(({ field, message }) => ({ field, message })) }),
    ...(oauth && { error: oauthErrors[code] ?? 'invalid_request', error_description: detail }),
    ...(challenge && factorMembers(challenge)),
  }
}

const factorMembers = ({ token, expiresIn, methods, webauthn }: FactorChallenge) => ({
  ...(token !== undefined && { mfa_token: token, expires_in: expiresIn }),
  methods: [...methods],
  ...(webauthn && { webauthn }),
})

function problemResponse(refusal: KeywardError, oauth: boolean): Response {
  const { status, retryAfter = status === 503 ? 1 : undefined } = refusal
  const headers = {
    'content-type': problemType(oauth),
    ...challenge(refusal),
    ...rateLimit(refusal),
    ...(retryAfter !== undefined && { 'retry-after': String(Math.ceil(retryAfter)) }),
  }
  return new Response(JSON.stringify(problemOf(refusal, oauth)), { status, headers })
}

/** Returns the sentence of a refusal. The sentence of `rate_limited` also says when the next attempt is possible. */
const sentenceOf = ({ code, message, retryAfter }: KeywardError): string =>
  code === 'rate_limited' && retryAfter !== undefined
    ? `Too many attempts, try again in ${inSeconds(retryAfter)}`
    : message

const inSeconds = (seconds: number): string => (Math.ceil(seconds) === 1 ? '1 second' : `${Math.ceil(seconds)} seconds`)

const sentences = (errors: readonly FieldError[]): string =>
  errors.map(({ field, message }) => `${field}: ${message}`).join('; ')

/**
 * Makes the `WWW-Authenticate` header of a refusal with status 401, and of `insufficient_scope` (RFC 6750 section
 * 3.1). RFC 6750 section 3 requires a parameter after the
 * scheme. For `invalid_client` the header names the Basic scheme too, because the client may have used Basic (RFC 6749
 * section 5.2).
 */
function challenge({ code, status, level }: KeywardError): Record<string, string> {
  if (code === 'insufficient_scope') return { 'www-authenticate': `${bearer}, error="insufficient_scope"` }
  if (status !== 401) return {}
  if (code === 'invalid_token') return { 'www-authenticate': `${bearer}, error="invalid_token"` }
  if (code === 'reauthentication_required')
    return { 'www-authenticate': level === undefined ? stale : `${stale}, acr_values="${level}"` }
  return { 'www-authenticate': code === 'invalid_client' ? `${bearer}, Basic realm="keyward"` : bearer }
}

const bearer = 'Bearer realm="keyward"'

/** RFC 9470 section 3. `max_age` is `FRESH` of `accounts/fresh.ts` in seconds. */
const stale = `${bearer}, error="insufficient_user_authentication", max_age="900"`

/** Makes the headers that describe the exceeded rate limit (draft-ietf-httpapi-ratelimit-headers). */
function rateLimit({ limit, retryAfter }: KeywardError): Record<string, string> {
  if (!limit) return {}
  return {
    ratelimit: `"${limit.name}";r=0;t=${retryAfter ?? 0}`,
    'ratelimit-policy': `"${limit.name}";q=${limit.budget};w=${limit.windowSeconds}`,
  }
}

/**
 * Makes the response for an error, and logs an unexpected error and the cause of a 503. The log has the class and stack
 * of the error, and its message only for a database error, with the values removed: other messages may contain personal
 * data. A 503 without a cause, such as `overloaded`, has only the log line of its request.
 * @param exchange undefined when the request did not come through the pipeline
 * @param oauth true when the response follows RFC 6749 section 5.2; by default as the route says
 */
export function refuse(
  log: Log,
  error: unknown,
  exchange: Exchange | undefined,
  oauth: boolean = exchange?.route?.oauth ?? false,
): Response {
  const refusal = oauth ? asOAuth(asRefusal(error)) : asRefusal(error)
  if (exchange) exchange.refused = refusal
  if (refusal.code === 'internal')
    log.error('unhandled_error', {
      request_id: exchange?.id,
      route: exchange?.route?.pattern,
      ...errorFields(refusal.cause),
    })
  else if (refusal.status === 503 && refusal.cause !== undefined)
    log.warn('refused', { request_id: exchange?.id, code: refusal.code, ...errorFields(refusal.cause) })
  return problemResponse(refusal, oauth)
}
