import { type FieldError, KeywardError, MISSING } from '../../errors.ts'

type Parameter = 'grant_type' | 'username' | 'password' | 'refresh_token' | 'device_token' | 'scope'

/** The parameters of a token request as the client sent them; null for `null` in JSON. */
export type TokenRequest = Partial<Record<Parameter, string | null>>

/** The grant of a token request: RFC 6749 section 4.3.2 (password) or section 6 (refresh token). */
export type TokenGrant =
  | { type: 'password'; identifier: string; password: string; deviceToken?: string }
  | { type: 'refresh_token'; refreshToken: string }

/**
 * Reads the grant of a token request. `grant_type` is case-sensitive. The default is `password`, because clients of
 * FastAPI services omit `grant_type`. A parameter with an empty value (RFC 6749 section 3.2) or with `null` in JSON
 * counts as omitted.
 * @throws KeywardError `unsupported_grant_type`, `validation_failed`
 */
export function readTokenRequest(request: TokenRequest): TokenGrant {
  switch (request.grant_type || 'password') {
    case 'password': {
      const { username, password } = required(request, ['username', 'password'])
      return { type: 'password', identifier: username, password, deviceToken: request.device_token || undefined }
    }
    case 'refresh_token':
      return { type: 'refresh_token', refreshToken: required(request, ['refresh_token']).refresh_token }
    default:
      throw new KeywardError('unsupported_grant_type')
  }
}

/**
 * Converts the error of a refresh at `/token` or `/user/token`. RFC 6749 section 5.2 requires 400 `invalid_grant` for a
 * refused refresh token.
 * @throws KeywardError `invalid_grant` instead of `invalid_refresh_token`; any other error unchanged
 */
export function asInvalidGrant(error: unknown): never {
  if (error instanceof KeywardError && error.code === 'invalid_refresh_token') throw new KeywardError('invalid_grant')
  throw error
}

function required<Name extends Parameter>(request: TokenRequest, names: Name[]): Record<Name, string> {
  const errors: FieldError[] = []
  for (const name of names) if (!request[name]) errors.push({ field: name, message: hints[name] ?? MISSING })
  if (errors.length > 0) throw new KeywardError('validation_failed', { errors })
  return request as Record<Name, string>
}

/** Longer messages for missing parameters. Clients often send the address as `email`, which is not a parameter. */
const hints: Partial<Record<Parameter, string>> = {
  username: `${MISSING}; it takes the username or the email address`,
}
