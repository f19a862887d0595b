/**
 * Every refusal of Keyward, by its code: the HTTP status and a sentence for a person. A code is stable, because clients
 * compare it. Use cases throw `KeywardError(code)`, and only `http/errors.ts` turns a `KeywardError` into an HTTP
 * response.
 */
export const catalogue = {
  // The form of the request
  invalid_request: [400, 'The request is malformed'],
  unsupported_grant_type: [400, 'This grant type is not supported'],
  validation_failed: [422, 'The request has invalid fields'],
  payload_too_large: [413, 'The request body is larger than 64 KiB'],
  unsupported_media_type: [415, 'This content type is not accepted here'],
  invalid_or_expired: [400, 'The link or the code is not valid, was used or has expired'],
  csrf_refused: [403, 'The request did not come from a page of this service'],
  proof_required: [400, 'Send the password of the account, a new password, or an access token of the account'],
  not_found: [404, 'Not Found'],
  method_not_allowed: [405, 'Method Not Allowed'],
  // Credentials and permissions
  not_authenticated: [401, 'Not authenticated'],
  invalid_token: [401, 'Could not validate credentials'],
  invalid_credentials: [401, 'Incorrect username or password'],
  invalid_client: [401, 'Client authentication failed'],
  invalid_refresh_token: [401, 'The refresh token is not valid'],
  invalid_grant: [400, 'The refresh token is not valid'],
  reauthentication_required: [401, 'Log in again, or send the password: the last check is more than 15 minutes ago'],
  invalid_password: [403, 'The current password is wrong'],
  forbidden: [403, 'Not enough permissions'],
  insufficient_scope: [403, 'An access token of a client is not accepted here'],
  // Accounts
  registration_closed: [403, 'Registration is closed'],
  email_taken: [409, 'Email already registered'],
  username_taken: [409, 'Username already taken'],
  user_not_found: [404, 'User not found'],
  user_inactive: [409, 'The account is deactivated'],
  invitation_pending: [409, 'The user has not accepted the invitation yet'],
  not_invited: [409, 'The user has no open invitation'],
  role_not_found: [404, 'Role not found'],
  role_taken: [409, 'A role with this name already exists'],
  role_built_in: [409, 'The roles user and admin cannot be changed or deleted'],
  last_admin: [409, 'The last administrator must stay'],
  api_key_not_found: [404, 'API key not found'],
  session_not_found: [404, 'Session not found'],
  mail_not_found: [404, 'Mail not found'],
  mail_not_resendable: [409, 'This mail cannot be sent again'],
  // Social login
  provider_not_found: [404, 'Provider not found'],
  provider_taken: [409, 'A provider with this name already exists'],
  identity_not_found: [404, 'Identity not found'],
  identity_taken: [409, 'This account of the provider is linked with another user'],
  last_login_method: [409, 'Nothing else signs this user in: set a password first'],
  provider_failed: [400, 'The login at the provider did not work'],
  email_unverified: [403, 'The provider does not confirm the address'],
  // Clients
  client_taken: [409, 'A client with this id already exists'],
  client_not_found: [404, 'Client not found'],
  client_secret_not_found: [404, 'Client secret not found'],
  client_is_public: [409, 'A public client has no secret'],
  too_many_secrets: [409, 'The client has two live secrets: revoke one first'],
  clients_unavailable: [409, 'No client can be registered with these settings'],
  // Second factors
  mfa_required: [403, 'A second factor is required'],
  mfa_enrollment_required: [403, 'This account needs a second factor first'],
  mfa_token_expired: [400, 'Log in again: this login has expired, was used, or had too many wrong answers'],
  invalid_code: [400, 'This code is not valid'],
  totp_locked: [403, 'Codes are locked after too many wrong ones: use a passkey or a recovery code'],
  webauthn_failed: [400, 'The passkey or security key was not accepted'],
  synced_passkey: [400, 'A passkey that other devices can have a copy of is not accepted here: use a security key'],
  invalid_passkey: [401, 'The passkey was not accepted'],
  unknown_passkey: [401, 'This passkey belongs to no account here'],
  factor_not_found: [404, 'Factor not found'],
  too_many_factors: [409, 'The account has as many factors as it can have: remove one first'],
  credential_exists: [409, 'This passkey or security key is registered already'],
  factor_required: [409, 'A rule of this service requires the factor: add another one first'],
  trusted_device_not_found: [404, 'Trusted device not found'],
  no_factor: [409, 'The account has no second factor'],
  own_account: [409, 'Nobody does this to their own account: use the routes for your own factors'],
  // Signing keys
  key_not_found: [404, 'Signing key not found'],
  key_not_ready: [409, 'The next signing key was published too short a time ago'],
  key_not_rotatable: [409, 'With JWT_ALG=HS256 the key is JWT_SECRET: set another one and restart'],
  keys_changed: [409, 'Another process changed the signing keys at the same moment, look again'],
  // Grants of clients
  unauthorized_client: [400, 'The client may not use this grant'],
  invalid_scope: [400, 'The client may use none of these scopes'],
  invalid_target: [400, 'The client may not use this resource'],
  authorization_pending: [400, 'The user has not decided yet'],
  slow_down: [400, 'The device asks too often: wait five seconds longer between two polls'],
  access_denied: [400, 'The user did not agree'],
  expired_token: [400, 'The device code has expired'],
  // Rate limits
  rate_limited: [429, 'Too many attempts, try again later'],
  // The service itself
  database_busy: [503, 'The database is busy, try again shortly'],
  database_unavailable: [503, 'The database is not available, try again shortly'],
  mail_not_configured: [503, 'This server cannot send mail'],
  overloaded: [503, 'Too many logins at the moment, try again shortly'],
  not_ready: [503, 'Not ready'],
  shutting_down: [503, 'The service is stopping'],
  internal: [500, 'Internal Server Error'],
} as const satisfies Record<string, readonly [status: number, sentence: string]>

export type ErrorCode = keyof typeof catalogue

/**
 * An invalid field of a request. `field` is the name of the field, with dots before the names of nested fields, or
 * `body` for the whole body. `message` never contains the submitted value.
 */
export interface FieldError {
  field: string
  message: string
  /** A word for the kind of the error, by which a page finds a sentence in its language. No answer contains it. */
  reason?: string
}

export interface LimitMet {
  name: string
  budget: number
  windowSeconds: number
}

export interface ErrorDetail {
  /**
   * The invalid fields of a `validation_failed`, or of the `invalid_request` that replaces `validation_failed` on an
   * OAuth route.
   */
  errors?: readonly FieldError[]
  /** The seconds until a retry can succeed, for the header `Retry-After`. */
  retryAfter?: number
  /** The exceeded limit of a `rate_limited`, for the headers `RateLimit` and `RateLimit-Policy`. */
  limit?: LimitMet
  /** A more exact sentence that replaces the sentence of the catalogue. It must not contain user input. */
  sentence?: string
  /** How the client goes on after `mfa_required`, or which methods still work after `totp_locked`. */
  challenge?: FactorChallenge
  /** The level of authentication that a `reauthentication_required` asks for (RFC 9470). */
  level?: string
  /** The error behind the refusal. The log may show it, and a client never sees it. */
  cause?: unknown
}

/** The members that a refusal has when a second factor is needed. */
export interface FactorChallenge {
  /** The `mfa_token`. */
  token?: string
  /** Seconds. */
  expiresIn?: number
  /** The methods that work now. */
  methods: readonly string[]
  /** The request options of WebAuthn. */
  webauthn?: object | undefined
}

/** A refusal. `message` is the sentence for a person: `detail.sentence`, or the sentence of the catalogue. */
export class KeywardError extends Error {
  override readonly name = 'KeywardError'
  readonly status: number
  readonly errors: readonly FieldError[] | undefined
  readonly retryAfter: number | undefined
  readonly limit: LimitMet | undefined
  readonly challenge: FactorChallenge | undefined
  readonly level: string | undefined

  constructor(
    readonly code: ErrorCode,
    detail: ErrorDetail = {},
  ) {
    super(detail.sentence ?? catalogue[code][1], { cause: detail.cause })
    this.status = catalogue[code][0]
    this.errors = detail.errors
    this.retryAfter = detail.retryAfter
    this.limit = detail.limit
    this.challenge = detail.challenge
    this.level = detail.level
  }
}

/** The message for a required field that a client did not send. */
export const MISSING = 'This field is missing'

/** Makes a `validation_failed` for one field. `what` is the message, or the message and the reason. */
export const invalidField = (field: string, what: string | Omit<FieldError, 'field'>): KeywardError =>
  new KeywardError('validation_failed', {
    errors: [{ field, ...(typeof what === 'string' ? { message: what } : what) }],
  })

/**
 * Returns the `KeywardError` that `error` is or has among its causes, at most five levels deep; undefined when there is
 * none. Drizzle wraps the errors of statements, so a refusal by the storage is a cause of Drizzle's error.
 */
export function refusalIn(error: unknown): KeywardError | undefined {
  for (let at = error, depth = 0; at instanceof Error && depth < 6; at = at.cause, depth++)
    if (at instanceof KeywardError) return at
}
