import { catalogue, type ErrorCode, type ErrorDetail, KeywardError } from '../../errors.ts'
import { problemOf } from '../errors.ts'

/**
 * Makes an example of the problem document of a code. `problemOf` also makes the documents of real answers, so the
 * example cannot differ from them.
 */
export const problemExample = (code: ErrorCode, oauth: boolean) =>
  problemOf(new KeywardError(code, exampleDetails[code]), oauth)

const exampleDetails: Partial<Record<ErrorCode, ErrorDetail>> = {
  validation_failed: { errors: [{ field: 'email', message: 'This is not an email address' }] },
  mfa_required: {
    challenge: {
      token: 'kwf_8wTz3kBzVb5YyC6a1V3Zk0Q7dL4nR2sXf9uJ6mPqHtE',
      expiresIn: 300,
      methods: ['totp', 'recovery_code'],
    },
  },
  mfa_enrollment_required: {
    challenge: { token: 'kwf_8wTz3kBzVb5YyC6a1V3Zk0Q7dL4nR2sXf9uJ6mPqHtE', expiresIn: 1200, methods: ['totp'] },
  },
}

/**
 * Returns the codes with which the guard may refuse a request to any route with this access word. A route declares all
 * its other codes itself.
 */
export function guardCodes(access: string): ErrorCode[] {
  if (access === 'open') return []
  const refusals: ErrorCode[] = ['not_authenticated', 'invalid_token', 'insufficient_scope']
  return access.includes(':') ? [...refusals, 'forbidden', 'reauthentication_required'] : refusals
}

/** Words for groups of codes that most routes share, so that component names stay short. */
const together: Record<string, readonly ErrorCode[]> = {
  NoDatabase: ['database_busy', 'database_unavailable'],
  Unauthenticated: ['not_authenticated', 'invalid_token'],
  Client: ['unauthorized_client', 'invalid_scope', 'invalid_target'],
  Grant: ['unsupported_grant_type', 'invalid_grant'],
  ScopeOrEnrollment: ['insufficient_scope', 'mfa_enrollment_required'],
  ClientOrLevel: ['invalid_client', 'reauthentication_required'],
  SecondFactor: ['mfa_token_expired', 'invalid_code', 'webauthn_failed'],
  Passkey: ['invalid_passkey', 'unknown_passkey'],
  Device: ['authorization_pending', 'slow_down', 'access_denied', 'expired_token'],
}

/**
 * Returns the name of the component for the refusals of one status, such as `EmailTakenOrUsernameTaken`. Generated
 * clients use the name, so it depends only on the set of codes, not on their order.
 */
export function refusalName(codes: readonly ErrorCode[], oauth: boolean): string {
  let rest = Object.keys(catalogue).filter((code) => codes.includes(code as ErrorCode)) as ErrorCode[]
  const words: string[] = []
  for (const [word, group] of Object.entries(together)) {
    if (!group.every((code) => rest.includes(code))) continue
    rest = rest.filter((code) => !group.includes(code))
    words.push(word)
  }
  return (oauth ? 'OAuth' : '') + [...rest.map(pascalCase), ...words].join('Or')
}

const pascalCase = (code: string): string =>
  code.replace(/(?:^|_)([a-z])/g, (_, letter: string) => letter.toUpperCase())
