import { invalidField, KeywardError } from '../../errors.ts'
import type { Locale } from '../../lib/locale.ts'
import {
  invalidUsername,
  isReservedUsername,
  normalizeUsername,
  reservedUsername,
  trimTyped,
  type User,
} from '../users/users.ts'
import type { AccountsNeeds } from './accounts.ts'
import { reserveGuess } from './guess-limits.ts'
import type { PendingRegistration } from './pending.ts'

/** The input of the person who completes a registration with the mail. */
export interface Completion {
  /** The id of the pending registration. */
  id: string
  /** The password of the registration. */
  password?: string | null
  /** Replaces the password of the registration, which somebody else may have made. */
  newPassword?: string | null
  /** Replaces the username of the registration, which somebody else may have taken meanwhile. */
  username?: string | null
  /** The language of the request. The account gets it only with `newPassword`; else it gets the registration's. */
  locale: Locale | undefined
  /** The client's network, for limits and the hash gate. */
  client: string
  ip: string
}

export async function completeRegistration(
  needs: AccountsNeeds,
  given: Completion,
  redeem: () => Promise<void>,
): Promise<User> {
  const { audit, users, pending } = needs
  const { newPassword, client, ip } = given
  const registration = await pending.find(given.id)
  if (!registration) throw new KeywardError('invalid_or_expired')
  const { email, emailKey } = registration
  const names = { email, emailKey, ...nameOf(registration, given) }
  checkPasswords(needs, names, given)
  try {
    await users.checkFree(names)
    const own =
      typeof newPassword === 'string'
        ? // The reader of the mail may be another person than the one who registered. Only the username of the
          // registration stays, because the mail names it.
          { ...(await hashed(needs, newPassword, client)), name: null, locale: given.locale ?? null }
        : await withPassword(needs, registration, given)
    const { id } = await users.create({ ...names, ...own }, async ({ id: userId }) => {
      await redeem()
      if (!(await pending.remove(registration.id))) throw new KeywardError('invalid_or_expired')
      await pending.removeAll(emailKey)
      await users.setEmailVerified(userId)
      await audit.record({ event: 'user.registered', userId, ip })
      await audit.record({ event: 'email.verified', userId, ip })
    })
    const user = await users.find(id)
    if (!user) throw new KeywardError('invalid_or_expired')
    return user
  } catch (error) {
    // Another registration with this address was completed first, or an administrator made the account.
    if (error instanceof KeywardError && error.code === 'email_taken') throw new KeywardError('invalid_or_expired')
    throw error
  }
}

function nameOf({ username, usernameKey }: PendingRegistration, { username: typed }: Completion) {
  if (typeof typed !== 'string') return { username, usernameKey }
  const chosen = normalizeUsername(trimTyped(typed))
  if (!chosen) throw invalidField('username', invalidUsername)
  if (isReservedUsername(chosen.username)) throw invalidField('username', reservedUsername)
  return chosen
}

function checkPasswords(
  { passwords }: AccountsNeeds,
  names: { email: string; username: string },
  { password, newPassword, username }: Completion,
): void {
  if (typeof newPassword !== 'string' && typeof password !== 'string') throw new KeywardError('proof_required')
  const [field, text] =
    typeof newPassword === 'string' ? (['new_password', newPassword] as const) : (['password', password!] as const)
  // The password was checked at the registration. A new username needs another check: the two must not be equal.
  const weakness = field === 'password' && typeof username !== 'string' ? undefined : passwords.weaknessOf(text, names)
  if (weakness) throw invalidField(field, weakness)
}

async function hashed({ passwords }: AccountsNeeds, password: string, client: string) {
  const { hash, scheme } = await passwords.hash(password, { client })
  return { passwordHash: hash, passwordScheme: scheme }
}

/**
 * @throws KeywardError `invalid_password`, which counts as a failed login with the address; `rate_limited`,
 * `overloaded`
 */
async function withPassword(
  needs: AccountsNeeds,
  { emailKey, passwordHash, passwordScheme, name, locale }: PendingRegistration,
  { password, client, ip }: Completion,
) {
  const { limits, passwords } = needs
  await using reservation = await reserveGuess(needs, { user: undefined, name: emailKey, client, ip })
  const stored = { hash: passwordHash, scheme: passwordScheme }
  if (!(await passwords.verify(password!, stored, { client, name: limits.nameKey(emailKey) })).ok) {
    await reservation.keep()
    throw new KeywardError('invalid_password')
  }
  await reservation.giveBack()
  return { passwordHash, passwordScheme, name, locale }
}
