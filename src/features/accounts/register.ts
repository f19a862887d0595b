import { type FieldError, KeywardError } from '../../errors.ts'
import type { Locale } from '../../lib/locale.ts'
import {
  invalidEmail,
  invalidName,
  invalidUsername,
  isReservedUsername,
  normalizeEmail,
  normalizeName,
  normalizeUsername,
  reservedUsername,
  trimTyped,
  type User,
} from '../users/users.ts'
import type { AccountsNeeds, RegistrationSettings } from './accounts.ts'

export interface Registration {
  email: string
  username: string
  password: string
  /** The client's network, for limits and the hash gate. */
  client: string
  /** The name of the person, as typed; undefined when the person gives none. */
  name?: string
  /** The language of mails to the user and of pages; null when it is not known. */
  locale?: Locale | null
  ip: string
}

export async function register(needs: AccountsNeeds, input: Registration): Promise<User> {
  if (!needs.registration.open) throw new KeywardError('registration_closed')
  const names = readNames(needs, input)
  return counted(needs, input, () => create(needs, names, input))
}

/**
 * Stores a registration until its address is proved, and queues the mail. The address is not looked up here, so
 * the answer and its time do not tell whether an account has the address. The sender of the mail looks it up later.
 */
export async function askToRegister(needs: AccountsNeeds, input: Registration): Promise<string> {
  const { users, passwords, mails, pending, registration } = needs
  if (!registration.open) throw new KeywardError('registration_closed')
  if (!mails.isOn) throw new KeywardError('mail_not_configured')
  const names = readNames(needs, input)
  const { password, client, ip, locale = null } = input
  return counted(needs, input, async () => {
    await users.checkUsernameFree(names.usernameKey)
    const mail = { kind: 'verify_email', email: names.email, locale: locale ?? undefined, client, ip } as const
    return mails.ask(mail, async () => {
      const { hash, scheme } = await passwords.hash(password, { client })
      return (id) => pending.add({ id, ...names, passwordHash: hash, passwordScheme: scheme, locale })
    })
  })
}

/**
 * Runs a registration with a place in the limit of the client's network. An error other than 409 gives the place back.
 */
async function counted<T>({ limits }: AccountsNeeds, { client, ip }: Registration, work: () => Promise<T>): Promise<T> {
  const reservation = await limits.reserve([{ rule: 'register.prefix', key: client }], { ip })
  try {
    const result = await work()
    reservation.keep()
    return result
  } catch (error) {
    // A taken username or address (409) counts in the limit, because the answer tells that an account has this name.
    // Otherwise a client could try names without a limit.
    if (error instanceof KeywardError && error.status === 409) reservation.keep()
    else await reservation.giveBack()
    throw error
  }
}

type Names = NonNullable<ReturnType<typeof normalizeEmail>> &
  NonNullable<ReturnType<typeof normalizeUsername>> & { name: string | null }

/**
 * Reads the names of a new account, and checks its password if there is one.
 * @param byAdmin true when an administrator makes the account. The lists of mail domains and of reserved words then do
 *   not apply
 * @throws KeywardError `validation_failed` with every wrong field
 */
export function readNames(
  { passwords, registration }: AccountsNeeds,
  given: Pick<Registration, 'email' | 'username' | 'name'> & { password?: string | undefined },
  byAdmin = false,
): Names {
  const input = { ...given, email: trimTyped(given.email), username: trimTyped(given.username) }
  const email = normalizeEmail(input.email)
  const username = normalizeUsername(input.username)
  const name = input.name === undefined ? null : normalizeName(input.name)
  const weakness = given.password === undefined ? undefined : passwords.weaknessOf(given.password, input)
  const errors: FieldError[] = []
  if (email && !byAdmin && !isAllowedDomain(registration, email.emailKey))
    errors.push({ field: 'email', message: 'Addresses of this domain cannot register', reason: 'domain' })
  if (!email) errors.push({ field: 'email', message: invalidEmail })
  if (!username) errors.push({ field: 'username', message: invalidUsername })
  else if (!byAdmin && isReservedUsername(username.username))
    errors.push({ field: 'username', message: reservedUsername, reason: 'reserved' })
  if (weakness) errors.push({ field: 'password', ...weakness })
  if (name === undefined) errors.push({ field: 'name', message: invalidName })
  if (!email || !username || name === undefined || errors.length > 0)
    throw new KeywardError('validation_failed', { errors })
  return { ...email, ...username, name }
}

async function create(
  { audit, users, passwords }: AccountsNeeds,
  names: Names,
  { password, client, locale = null, ip }: Registration,
): Promise<User> {
  await users.checkFree(names)
  const { hash, scheme } = await passwords.hash(password, { client })
  return users.create({ ...names, passwordHash: hash, passwordScheme: scheme, locale }, ({ id }) =>
    audit.record({ event: 'user.registered', userId: id, ip }),
  )
}

/** Returns true when the domain of an address may register. A listed domain includes its subdomains. */
export function isAllowedDomain({ domainsAllowed, domainsBlocked }: RegistrationSettings, emailKey: string): boolean {
  const domain = emailKey.slice(emailKey.lastIndexOf('@') + 1)
  const isIn = (list: readonly string[]) => list.some((listed) => domain === listed || domain.endsWith(`.${listed}`))
  return !isIn(domainsBlocked) && (domainsAllowed.length === 0 || isIn(domainsAllowed))
}
