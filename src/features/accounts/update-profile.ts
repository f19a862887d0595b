import { type FieldError, KeywardError } from '../../errors.ts'
import type { Locale } from '../../lib/locale.ts'
import { accountWrite } from '../limits/limits.ts'
import type { SessionCaller } from '../sessions/sessions.ts'
import {
  differences,
  invalidEmail,
  invalidName,
  invalidUsername,
  isReservedUsername,
  nameKeysOf,
  normalizeEmail,
  normalizeName,
  normalizeUsername,
  type Profile,
  reservedUsername,
  trimTyped,
  type User,
} from '../users/users.ts'
import type { AccountsNeeds } from './accounts.ts'
import { requireMailedCode } from './first-factor.ts'
import { type FreshProof, requireFresh } from './fresh.ts'

/** The changes that a user asks for. A field that is undefined stays as it is. */
export interface ProfileChange extends FreshProof {
  /** The next address, as typed. */
  email?: string
  /** As typed. */
  username?: string
  /** As typed; null removes the name. */
  name?: string | null
  /** Null forgets the language. */
  locale?: Locale | null
  /** The language of the request, for the mail to the next address. A user's own language goes before it. */
  requestLocale: Locale | undefined
}

export async function updateProfile(
  needs: AccountsNeeds,
  caller: SessionCaller,
  { email, password, client, ip, requestLocale: locale, ...typed }: ProfileChange,
): Promise<User> {
  const { limits, users, audit, mails } = needs
  const { user, userId, sessionId } = caller
  const epoch = user.sessionEpoch
  const wanted = readProfile(user, { email, ...typed })
  const isOther = email !== undefined && normalizeEmail(trimTyped(email))?.emailKey !== nameKeysOf(user).emailKey
  // A request that changes nothing takes no place and writes nothing.
  if (!isOther && differences(user, wanted).length === 0) return user
  if (isOther) {
    await requireFresh(needs, caller, { password, client, ip })
    // With a mailbox of their own, a thief could get the code that a first second factor needs.
    await requireMailedCode(needs, caller, { ip })
  }
  await using place = await limits.reserve([accountWrite(userId)], { userId, ip })
  let changed: User | undefined
  const store = async () => {
    changed = await users.changeProfile({ id: userId, epoch }, wanted, (fields) =>
      audit.record({ event: 'user.updated', userId, sessionId, ip, details: { fields: fields.join(' ') } }),
    )
    if (!changed) throw new KeywardError('invalid_token')
    if (isOther) await audit.record({ event: 'email.change_requested', userId, sessionId, ip })
  }
  const asked = { kind: 'confirm_address', locale, client, ip, asker: { userId, epoch } } as const
  try {
    if (isOther) await mails.ask({ ...asked, email }, async () => store)
    else await store()
  } catch (error) {
    // A taken username (409) counts in `account.write`, because the answer tells that somebody has the name.
    if (error instanceof KeywardError && error.status === 409) place.keep()
    throw error
  }
  place.keep()
  return changed!
}

/** @throws KeywardError `validation_failed` with every wrong field */
function readProfile(
  user: User,
  { email, username: typed, name, locale }: Pick<ProfileChange, 'email' | 'username' | 'name' | 'locale'>,
): Profile {
  const errors: FieldError[] = []
  const username = typed === undefined ? user.username : trimTyped(typed)
  const profile: Profile = { locale }
  // The present username is not checked: an import or an administrator may have given one that the rules below refuse.
  if (username !== user.username) {
    profile.username = normalizeUsername(username)
    if (!profile.username) errors.push({ field: 'username', message: invalidUsername })
    else if (isReservedUsername(username) && profile.username.usernameKey !== nameKeysOf(user).usernameKey)
      errors.push({ field: 'username', message: reservedUsername, reason: 'reserved' })
  }
  if (email !== undefined && !normalizeEmail(trimTyped(email))) errors.push({ field: 'email', message: invalidEmail })
  if (name !== undefined) {
    profile.name = name === null ? null : normalizeName(name)
    if (profile.name === undefined) errors.push({ field: 'name', message: invalidName })
  }
  if (errors.length > 0) throw new KeywardError('validation_failed', { errors })
  return profile
}
