import { invalidField, KeywardError } from '../../errors.ts'
import type { Locale } from '../../lib/locale.ts'
import type { Random } from '../../lib/random.ts'
import { isReservedUsername, nameKeysOf, normalizeUsername, type User } from '../users/users.ts'
import type { AccountsNeeds } from './accounts.ts'
import { isAllowedDomain } from './register.ts'

/** An account for somebody who signed in with another service. */
export interface ProvedRegistration {
  /** An address as `normalizeEmail` returns it. */
  email: string
  /** The username at the other service, as it was told. */
  wish: string | undefined
  name: string | null
  locale: Locale | null
  ip: string
}

/** How many usernames are tried. The first is the wish; the others end in six random digits. */
const TRIES = 5

/** Implements `Accounts.registerProved`. */
export async function registerProved(
  needs: AccountsNeeds,
  { email, wish, name, locale, ip }: ProvedRegistration,
  alongside: (user: User) => Promise<void>,
): Promise<User> {
  const { audit, users, pending, registration, random } = needs
  if (!registration.open) throw new KeywardError('registration_closed')
  const { emailKey } = nameKeysOf({ email, username: '' })
  if (!isAllowedDomain(registration, emailKey)) throw invalidField('email', 'Addresses of this domain cannot register')
  const stem = stemOf(wish) ?? stemOf(email.slice(0, email.lastIndexOf('@'))) ?? 'user'
  for (let attempt = 0; ; attempt++) {
    const username = normalizeUsername(attempt === 0 ? stem : `${stem.slice(0, 25)}.${sixDigits(random)}`)
    if (!username || isReservedUsername(username.username)) continue
    try {
      await users.checkFree({ emailKey, ...username })
      const own = { passwordHash: null, passwordScheme: null, name, locale }
      const { id } = await users.create({ email, emailKey, ...username, ...own }, async (user) => {
        await pending.removeAll(emailKey)
        await users.setEmailVerified(user.id)
        await audit.record({ event: 'user.registered', userId: user.id, ip })
        await audit.record({ event: 'email.verified', userId: user.id, ip })
        await alongside(user)
      })
      return (await users.find(id))!
    } catch (error) {
      const isNameTaken = error instanceof KeywardError && error.code === 'username_taken'
      if (!isNameTaken || attempt === TRIES) throw error
    }
  }
}

/** The characters of a text that a username may have; undefined when too few are left. */
function stemOf(text: string | undefined): string | undefined {
  const stem = text?.replace(/[^A-Za-z0-9._-]/g, '').slice(0, 32)
  return stem && stem.length >= 3 ? stem : undefined
}

const sixDigits = (random: Random): string =>
  String(Buffer.from(random.bytes(4)).readUInt32BE() % 1_000_000).padStart(6, '0')
