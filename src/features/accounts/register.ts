import type { Deps } from '../../deps.ts'
import { type FieldError, KeywardError } from '../../errors.ts'
import { record } from '../audit/record.ts'
import { checkFree, createUser } from '../users/create.ts'
import { invalidEmail, normalizeEmail } from '../users/email.ts'
import { checkPassword } from '../users/policy.ts'
import type { User } from '../users/user.ts'
import { invalidUsername, isReservedUsername, normalizeUsername, reservedUsername } from '../users/username.ts'

export interface Registration {
  email: string
  username: string
  password: string
  /** The network that asks, for limits and the hash gate; none for an administrator. */
  client?: string
  /** Only for administrators: names that speak for the service may be given too. */
  reservedNames?: boolean
  ip?: string
}

/**
 * Makes an account for whoever asks.
 * @throws KeywardError `validation_failed` with every field that is wrong, `email_taken`, `username_taken`,
 *   `rate_limited`, `overloaded`
 */
export async function register(
  deps: Pick<Deps, 'store' | 'clock' | 'passwords' | 'config' | 'limits'>,
  input: Registration,
): Promise<User> {
  const email = normalizeEmail(input.email)
  const username = normalizeUsername(input.username)
  const weakness = checkPassword(input.password, {
    email: input.email,
    username: input.username,
    minLength: deps.config.PASSWORD_MIN_LENGTH,
  })
  const errors: FieldError[] = []
  if (!email) errors.push({ field: 'email', message: invalidEmail })
  if (!username) errors.push({ field: 'username', message: invalidUsername })
  else if (!input.reservedNames && isReservedUsername(username.username))
    errors.push({ field: 'username', message: reservedUsername })
  if (weakness) errors.push({ field: 'password', message: weakness })
  if (!email || !username || errors.length > 0) throw new KeywardError('validation_failed', { errors })

  if (input.client !== undefined) await deps.limits.take([{ rule: 'register.prefix', key: input.client }])
  await checkFree(deps, { ...email, ...username })
  const { hash, scheme } = await deps.passwords.hash(input.password, input.client)
  const event = input.reservedNames ? 'user.created' : 'user.registered'
  return createUser(deps, { ...email, ...username, passwordHash: hash, passwordScheme: scheme }, ({ id }) =>
    record(deps, { event, userId: id, ip: input.ip }),
  )
}
