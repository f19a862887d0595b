import { Elysia, ParseError, ValidationError } from 'elysia'
import { type ErrorCode, type FieldError, KeywardError, refusalIn } from '../errors.ts'
import { errorFields, type Log } from '../lib/log.ts'
import { noteRefusal, requestState } from './request-state.ts'

/** RFC 6749 section 5.2 words for the codes that an OAuth route can answer with; what is not named is `invalid_request`. */
const oauthErrors: Partial<Record<ErrorCode, string>> = {
  invalid_credentials: 'invalid_grant',
  invalid_grant: 'invalid_grant',
  invalid_refresh_token: 'invalid_grant',
  invalid_client: 'invalid_client',
  unsupported_grant_type: 'unsupported_grant_type',
  not_authenticated: 'invalid_client',
  invalid_token: 'invalid_client',
  forbidden: 'unauthorized_client',
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

/** Any error as a refusal of the catalogue; what is not one is `internal` and keeps its cause for the log alone. */
function asRefusal(error: unknown): KeywardError {
  const refusal = refusalIn(error)
  if (refusal) return refusal
  if (error instanceof ParseError) return new KeywardError('invalid_request')
  if (error instanceof ValidationError && error.type !== 'response')
    return new KeywardError('validation_failed', { errors: fieldErrors(error) })
  return new KeywardError('internal', { cause: error })
}

/** RFC 6749 knows no 422: a request that lacks or misspells a parameter is malformed. */
const asOAuth = (refusal: KeywardError): KeywardError =>
  refusal.code === 'validation_failed'
    ? new KeywardError('invalid_request', { errors: refusal.errors, sentence: refusal.message })
    : refusal

/** Which fields were wrong, each once and without its value. */
function fieldErrors(error: ValidationError): FieldError[] {
  const byField = new Map<string, string>()
  for (const one of error.all) {
    const { path, message } = one as { path?: string; message?: string }
    const field = (path ?? '').split('/').filter(Boolean).join('.') || 'body'
    if (!byField.has(field)) byField.set(field, message ?? 'Invalid value')
  }
  return [...byField].map(([field, message]) => ({ field, message }))
}

/** The RFC 9457 problem document for a refusal; with the members of RFC 6749 section 5.2 on an OAuth route. */
export function problemResponse(refusal: KeywardError, oauth: boolean): Response {
  const { code, status } = refusal
  const detail = refusal.errors && oauth ? `${refusal.message}: ${sentences(refusal.errors)}` : refusal.message
  const error = oauth ? { error: oauthErrors[code] ?? 'invalid_request', error_description: detail } : {}
  const headers: Record<string, string> = {
    'content-type': 'application/problem+json',
    ...challenge(code, status),
    ...rateLimit(refusal),
  }
  const retryAfter = refusal.retryAfter ?? (status === 503 ? 1 : undefined)
  if (retryAfter !== undefined) headers['retry-after'] = String(Math.ceil(retryAfter))
  return new Response(
    JSON.stringify({
      type: 'about:blank',
      title: titles[status],
      status,
      detail,
      code,
      ...(refusal.errors && { errors: refusal.errors }),
      ...error,
    }),
    { status, headers },
  )
}

const sentences = (errors: readonly FieldError[]): string =>
  errors.map(({ field, message }) => `${field}: ${message}`).join('; ')

/** RFC 6750 section 3; a client that tried Basic is told of it too (RFC 6749 section 5.2). */
function challenge(code: ErrorCode, status: number): Record<string, string> {
  if (status !== 401) return {}
  if (code === 'invalid_token') return { 'www-authenticate': 'Bearer error="invalid_token"' }
  return { 'www-authenticate': code === 'invalid_client' ? 'Bearer, Basic realm="keyward"' : 'Bearer' }
}

/** draft-ietf-httpapi-ratelimit-headers: the limit that was met, and that nothing of it is left for a while. */
function rateLimit({ limit, retryAfter }: KeywardError): Record<string, string> {
  if (!limit) return {}
  return {
    ratelimit: `"${limit.name}";r=0;t=${retryAfter ?? 0}`,
    'ratelimit-policy': `"${limit.name}";q=${limit.budget};w=${limit.windowSeconds}`,
  }
}

/**
 * Answers any error. What is not a refusal, and what is behind a 503, is logged by its class and stack, never by its
 * message, which may quote data. Work that is shed by itself has nothing behind it: the line of the request says it all.
 */
export function refuse(log: Log, error: unknown, request: Request): Response {
  const state = requestState(request)
  const oauth = state?.route.oauth ?? false
  const refusal = oauth ? asOAuth(asRefusal(error)) : asRefusal(error)
  noteRefusal(request, refusal.code)
  if (refusal.code === 'internal')
    log.error('unhandled_error', { request_id: state?.id, route: state?.route.pattern, ...errorFields(refusal.cause) })
  else if (refusal.status === 503 && refusal.cause !== undefined)
    log.warn('refused', { request_id: state?.id, code: refusal.code, ...errorFields(refusal.cause) })
  return problemResponse(refusal, oauth)
}

/** The one error hook, first in the app: without it Elysia echoes submitted values in a 422 and messages in a 500. */
export const errorHook = (log: Log) =>
  new Elysia({ name: 'keyward.errors' }).onError({ as: 'global' }, ({ error, code, request }) =>
    refuse(log, code === 'NOT_FOUND' ? new KeywardError('not_found') : error, request),
  )
