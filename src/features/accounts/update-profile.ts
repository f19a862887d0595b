import { type FieldError, KeywardError } from '../../errors.ts'
import type { Locale } from '../../lib/locale.ts'
import { accountWrite } from '../limits/limits.ts'
import type { SessionCaller } from '../sessions/sessions.ts'
import {
  differences,
  invalidName,
  invalidUsername,
  isReservedUsername,
  nameKeysOf,
  normalizeName,
  normalizeUsername,
  type Profile,
  reservedUsername,
  trimTyped,
  type User,
} from '../users/users.ts'
import type { AccountsNeeds } from './accounts.ts'

/** What a user wants to change. A member that is undefined stays as it is. */
export interface ProfileChange {
  /** As typed. */
  username?: string
  /** As typed; null removes the name. */
  name?: string | null
  /** Null forgets the language. */
  locale?: Locale | null
  ip: string
}

export async function updateProfile(
  needs: AccountsNeeds,
  { user, userId, sessionId }: SessionCaller,
  { ip, ...typed }: ProfileChange,
): Promise<User> {
  const { limits, users, audit } = needs
  const wanted = readProfile(user, typed)
  // A request that changes nothing takes no place and writes nothing.
  if (differences(user, wanted).length === 0) return user
  await using place = await limits.reserve([accountWrite(userId)], { userId, ip })
  const change = users.changeProfile({ id: userId, epoch: user.sessionEpoch }, wanted, (changed) =>
    audit.record({ event: 'user.updated', userId, sessionId, ip, details: { fields: changed.join(' ') } }),
  )
  try {
    const changed = await change
    if (!changed) throw new KeywardError('invalid_token')
    place.keep()
    return changed
  } catch (error) {
    // A taken username counts, because the answer tells that somebody has the name.
    if (error instanceof KeywardError && error.status === 409) place.keep()
    throw error
  }
}

/** @throws KeywardError `validation_failed` with every wrong field */
function readProfile(user: User, { username: typed, name, locale }: Omit<ProfileChange, 'ip'>): Profile {
  const errors: FieldError[] = []
  const username = typed === undefined ? user.username : trimTyped(typed)
  const profile: Profile = { locale }
  // The present username may be one that only an import or an administrator can give, and is no change.
  if (username !== user.username) {
    profile.username = normalizeUsername(username)
    if (!profile.username) errors.push({ field: 'username', message: invalidUsername })
    else if (isReservedUsername(username) && profile.username.usernameKey !== nameKeysOf(user).usernameKey)
      errors.push({ field: 'username', message: reservedUsername })
  }
  if (name !== undefined) {
    profile.name = name === null ? null : normalizeName(name)
    if (profile.name === undefined) errors.push({ field: 'name', message: invalidName })
  }
  if (errors.length > 0) throw new KeywardError('validation_failed', { errors })
  return profile
}
