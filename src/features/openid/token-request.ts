import { type FieldError, KeywardError, MISSING } from '../../errors.ts'
import { DEVICE_CODE_GRANT } from './device.ts'
import type { CodeExchange } from './exchange-code.ts'

type Parameter =
  | 'grant_type'
  | 'username'
  | 'password'
  | 'refresh_token'
  | 'device_token'
  | 'scope'
  | 'client_id'
  | 'client_secret'
  | 'code'
  | 'redirect_uri'
  | 'code_verifier'
  | 'resource'
  | 'device_code'
  | 'otp'
  | 'mfa_token'
  | 'recovery_code'
  | 'webauthn'
  | 'credential'
  | 'trusted_device_token'

/** The parameters of a token request as they were sent; null for `null` in JSON. An empty one counts as omitted. */
export type TokenRequest = Partial<Record<Parameter, string | null | undefined>> & {
  trust_device?: boolean | string | null | undefined
}

/** The grant with which a program ends a login that waits for a second factor (RFC 6749 section 4.5). */
export const MFA_GRANT = 'urn:keyward:oauth:grant-type:mfa'

/** The grant with which a program logs in with a passkey alone. */
export const PASSKEY_GRANT = 'urn:keyward:oauth:grant-type:passkey'

/** The grants that only a registered client may use. */
const clientGrants: readonly string[] = ['authorization_code', 'client_credentials', DEVICE_CODE_GRANT]

export const isClientGrant = (type: string): boolean => clientGrants.includes(type)

/** @throws KeywardError `validation_failed` without `code` */
export function readCodeExchange(sent: TokenRequest): CodeExchange {
  const { code } = required(sent, ['code'])
  return { code, redirectUri: sent.redirect_uri || undefined, codeVerifier: sent.code_verifier || undefined }
}

/** @throws KeywardError `validation_failed` with every parameter of `names` that is missing */
export function required<Name extends Parameter>(request: TokenRequest, names: Name[]): Record<Name, string> {
  const errors: FieldError[] = []
  for (const name of names) if (!request[name]) errors.push({ field: name, message: hints[name] ?? MISSING })
  if (errors.length > 0) throw new KeywardError('validation_failed', { errors })
  return request as Record<Name, string>
}

/** Longer messages for missing parameters. Clients often send the address as `email`, which is not a parameter. */
const hints: Partial<Record<Parameter, string>> = {
  username: `${MISSING}; it takes the username or the email address`,
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
