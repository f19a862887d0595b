import { expect } from 'bun:test'
import { catalogue, type ErrorCode } from '../../src/errors.ts'

/** The members of every refusal: a problem document of RFC 9457. */
export interface Problem {
  type: string
  title: string
  status: number
  detail: string
  code: string
  errors?: { field: string; message: string }[]
  error?: string
  error_description?: string
  /** Of `mfa_required`. */
  mfa_token?: string
  expires_in?: number
  methods?: string[]
  webauthn?: object
}

const members = ['type', 'title', 'status', 'detail', 'code', 'errors', 'error', 'error_description']
const withFactorMembers: readonly ErrorCode[] = ['mfa_required', 'mfa_enrollment_required', 'totp_locked']
const factorMembers = ['mfa_token', 'expires_in', 'methods', 'webauthn']

/** Checks that a response is a correct refusal with `code`, and returns its problem document. */
export async function expectRefusal(
  response: Response,
  code: ErrorCode,
  status: number = catalogue[code][0],
): Promise<Problem> {
  const problem = (await response.clone().json()) as Problem
  expect([response.status, problem.code]).toEqual([status, code])
  // RFC 6749 section 5.2: a refusal with `error` is one for OAuth clients.
  const type = problem.error === undefined ? 'application/problem+json' : 'application/json'
  expect(response.headers.get('content-type')).toBe(type)
  expect(problem.status).toBe(status)
  expect(problem.type).toBe('about:blank')
  expect(problem.title).toMatch(/^[A-Z][A-Za-z ]+$/)
  expect(problem.detail).toBeString()
  const allowed = withFactorMembers.includes(code) ? [...members, ...factorMembers] : members
  for (const name of Object.keys(problem)) expect(allowed).toContain(name)
  if (status === 401) expect(response.headers.get('www-authenticate')).toStartWith('Bearer')
  if (status === 503) expect(response.headers.get('retry-after')).toMatch(/^[1-9]\d*$/)
  expectCommonHeaders(response)
  return problem
}

const oauthPaths = [
  '/token',
  '/user/token',
  '/token/refresh',
  '/token/mfa',
  '/token/passkey',
  '/token/step-up',
  '/token/enroll',
  '/token/enroll/totp',
  '/token/enroll/confirm',
  '/revoke',
  '/introspect',
  '/device_authorization',
]

/** The media type of a refusal at a path: the routes of OAuth follow RFC 6749 section 5.2. */
export const problemTypeOf = (path: string): string =>
  oauthPaths.includes(path) ? 'application/json' : 'application/problem+json'

/** The headers that every answer carries. */
export function expectCommonHeaders({ headers }: Response): void {
  expect(headers.get('x-request-id')).toMatch(/^[A-Za-z0-9._-]{1,128}$/)
  expect(headers.get('x-content-type-options')).toBe('nosniff')
  expect(headers.get('referrer-policy')).toBe('no-referrer')
}
