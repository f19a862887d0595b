import { type FieldError, KeywardError } from '../../errors.ts'

/** The parameters of a token request (RFC 6749 section 4.3.2), as they came. */
export interface TokenRequest {
  grant_type?: string
  username?: string
  password?: string
}

/**
 * The name and password of a token request. `grant_type` is compared exactly; without one it is `password`, as the
 * clients of FastAPI services send it. A parameter without a value counts as omitted (RFC 6749 section 3.2).
 * @throws KeywardError `unsupported_grant_type`, `validation_failed`
 */
export function readPasswordGrant({ grant_type, username, password }: TokenRequest): {
  identifier: string
  password: string
} {
  if (grant_type && grant_type !== 'password') throw new KeywardError('unsupported_grant_type')
  const errors: FieldError[] = []
  if (!username) errors.push({ field: 'username', message: 'This parameter is required' })
  if (!password) errors.push({ field: 'password', message: 'This parameter is required' })
  if (!username || !password) throw new KeywardError('validation_failed', { errors })
  return { identifier: username, password }
}
