import { type FieldError, KeywardError } from '../../errors.ts'
import type { Deps } from '../../service.ts'
import { record } from '../audit/audit.ts'
import type { Held } from '../limits/limits.ts'
import { checkPassword } from '../passwords/policy.ts'
import { giveRole } from '../roles/assign.ts'
import { ADMIN } from '../roles/permissions.ts'
import { checkFree, createUser } from '../users/create.ts'
import { type EmailAddress, invalidEmail, normalizeEmail } from '../users/email.ts'
import type { User } from '../users/user.ts'
import {
  invalidUsername,
  isReservedUsername,
  normalizeUsername,
  reservedUsername,
  type Username,
} from '../users/username.ts'

export interface Registration {
  email: string
  username: string
  password: string
  /** The network that asks, for limits and the hash gate; none for an administrator. */
  client?: string
  /** An administrator makes the account: also while registration is closed, with any name and any mail domain. */
  byAdmin?: boolean
  /** The account becomes an administrator's. */
  admin?: boolean
  ip?: string
}

/**
 * Makes an account for whoever asks.
 * @throws KeywardError `registration_closed`, `validation_failed` with every field that is wrong, `email_taken`, `username_taken`,
 *   `rate_limited`, `overloaded`
 */
export async function register(
  deps: Pick<Deps, 'store' | 'clock' | 'passwords' | 'config' | 'limits'>,
  input: Registration,
): Promise<User> {
  if (deps.config.REGISTRATION === 'closed' && !input.byAdmin) throw new KeywardError('registration_closed')
  const email = normalizeEmail(input.email)
  const username = normalizeUsername(input.username)
  const weakness = checkPassword(input.password, {
    email: input.email,
    username: input.username,
    minLength: deps.config.PASSWORD_MIN_LENGTH,
  })
  const errors: FieldError[] = []
  if (email && !input.byAdmin && !isWelcome(deps.config, email.emailKey))
    errors.push({ field: 'email', message: 'Addresses of this domain cannot register' })
  if (!email) errors.push({ field: 'email', message: invalidEmail })
  if (!username) errors.push({ field: 'username', message: invalidUsername })
  else if (!input.byAdmin && isReservedUsername(username.username))
    errors.push({ field: 'username', message: reservedUsername })
  if (weakness) errors.push({ field: 'password', message: weakness })
  if (!email || !username || errors.length > 0) throw new KeywardError('validation_failed', { errors })

  const held = await takePlace(deps, input)
  try {
    const user = await create(deps, { ...email, ...username }, input)
    held?.keep()
    return user
  } catch (error) {
    // A taken name counts: whoever asks learns who is registered here.
    if (error instanceof KeywardError && error.status === 409) held?.keep()
    else await held?.giveBack()
    throw error
  }
}

const takePlace = async ({ limits }: Pick<Deps, 'limits'>, { client, ip }: Registration): Promise<Held | undefined> =>
  client === undefined ? undefined : limits.take([{ rule: 'register.prefix', key: client }], { ip })

async function create(
  deps: Pick<Deps, 'store' | 'clock' | 'passwords'>,
  names: EmailAddress & Username,
  { password, client, byAdmin, admin, ip }: Registration,
): Promise<User> {
  await checkFree(deps, names)
  const { hash, scheme } = await deps.passwords.hash(password, client)
  const event = byAdmin ? 'user.created' : 'user.registered'
  return createUser(deps, { ...names, passwordHash: hash, passwordScheme: scheme }, async ({ id }) => {
    await record(deps, { event, userId: id, ip })
    if (admin) await giveRole(deps, { userId: id, role: ADMIN })
  })
}

/** Whether addresses of this domain may register. A listed domain stands for its subdomains too. */
function isWelcome(
  { EMAIL_DOMAINS_ALLOWED: allowed, EMAIL_DOMAINS_BLOCKED: blocked }: Deps['config'],
  emailKey: string,
): boolean {
  const domain = emailKey.slice(emailKey.lastIndexOf('@') + 1)
  const isIn = (list: readonly string[]) => list.some((listed) => domain === listed || domain.endsWith(`.${listed}`))
  return !isIn(blocked) && (allowed.length === 0 || isIn(allowed))
}
