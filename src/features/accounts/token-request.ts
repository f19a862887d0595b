import { type FieldError, KeywardError } from '../../errors.ts'

/** The parameters of a token request (RFC 6749 section 4.3.2), as they came. */
export interface TokenRequest {
  grant_type?: string
  username?: string
  password?: string
}

/**
 * The name and password of a token request. `grant_type` is compared exactly; without one it is `password`, as the
 * clients of FastAPI services send it.
 * @throws KeywardError `unsupported_grant_type`, `validation_failed`
 */
export function readPasswordGrant({ grant_type, username, password }: TokenRequest): {
  identifier: string
  password: string
} {
  if (grant_type !== undefined && grant_type !== 'password') throw new KeywardError('unsupported_grant_type')
  const errors: FieldError[] = []
  if (username === undefined) errors.push({ field: 'username', message: 'This parameter is required' })
  if (password === undefined) errors.push({ field: 'password', message: 'This parameter is required' })
  if (username === undefined || password === undefined) throw new KeywardError('validation_failed', { errors })
  return { identifier: username, password }
}

/**
 * Judges the client authentication of a token request. Keyward has no confidential clients yet: none, or the empty one
 * that Swagger UI sends (`Basic Og==`), passes.
 * @throws KeywardError `invalid_client` for any other
 */
export function checkClient(authorization: string | null): void {
  if (authorization === null || !/^basic(?: |$)/i.test(authorization)) return
  if (authorization.slice(5).trim() !== 'Og==') throw new KeywardError('invalid_client')
}
