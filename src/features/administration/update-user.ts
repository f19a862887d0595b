import { type FieldError, invalidField, KeywardError } from '../../errors.ts'
import { type EpochMs, parseRfc3339, rfc3339 } from '../../lib/clock.ts'
import {
  differences,
  invalidName,
  invalidUsername,
  normalizeName,
  normalizeUsername,
  type Profile,
  trimTyped,
  type User,
} from '../users/users.ts'
import type { AdministrationNeeds } from './administration.ts'
import { type Actor, type By, byOf, changeUser } from './change-user.ts'
import { invalidTime } from './manage-api-keys.ts'

/** The changes that an administrator makes to a user. A member that is undefined stays as it is. */
export interface UserChange {
  isActive?: boolean
  /** Why the user is deactivated, for the audit log. */
  reason?: string
  /** When the user becomes active by itself: RFC 3339, as typed. A deactivation without it has no end. */
  inactiveUntil?: string
  /** As typed. */
  username?: string
  /** As typed; null removes the name. */
  name?: string | null
}

/** Implements `Administration.updateUser`. */
export async function updateUser(
  needs: AdministrationNeeds,
  actor: Actor,
  id: string,
  { isActive, reason, inactiveUntil, ...typed }: UserChange,
): Promise<User> {
  const { users, audit } = needs
  const by = byOf(actor)
  if (isActive !== false && (reason !== undefined || inactiveUntil !== undefined))
    throw invalidField(
      reason === undefined ? 'inactive_until' : 'reason',
      'This belongs to a deactivation: send "is_active": false with it',
    )
  const end = { reason, until: readEnd(inactiveUntil) }
  requireEnd(needs, end)
  const before = await changeUser(needs, actor, id, {
    permission: 'users:write',
    plan: async (user) => {
      const wanted = readProfile(user, typed)
      const hasProfile = differences(user, wanted).length > 0
      const hasState = isActive === false ? isOther(user, end) : isActive === true && !user.isActive
      if (!hasProfile && !hasState) return undefined
      return async () => {
        if (hasProfile)
          await users.changeProfile({ id: user.id }, wanted, (fields) =>
            audit.record({ event: 'user.updated', userId: user.id, ...by, details: { fields: fields.join(' ') } }),
          )
        if (hasState) await (isActive ? activate(needs, user, by) : deactivate(needs, user, end, by))
      }
    },
  })
  return (await users.find(before.id)) ?? before
}

/** The reason and the end of a deactivation. */
export interface Deactivation {
  /** 1 to 200 characters without control characters, for the audit log. */
  reason?: string
  /** When the user becomes active by itself; null for no end. */
  until?: EpochMs | null
}

/** Implements `Administration.deactivate`. */
export async function deactivate(
  needs: AdministrationNeeds,
  { id }: Pick<User, 'id'>,
  end: Deactivation = {},
  by: Partial<By> = {},
): Promise<void> {
  const { store: db, audit, users, roles, sessions } = needs
  const { reason, until = null } = end
  requireEnd(needs, end)
  await db.transaction(async () => {
    const user = await roles.keepAnAdmin(id)
    if (!user || !isOther(user, end)) return
    await users.deactivate(id, { until })
    if (user.isActive) {
      await sessions.endAll({ userId: id, reason: 'deactivated' })
      await sessions.forgetKnown({ userId: id })
    }
    const details = { ...(reason !== undefined && { reason }), ...(until !== null && { until: rfc3339(until) }) }
    await audit.record({
      event: 'user.deactivated',
      userId: id,
      ...by,
      details: Object.keys(details).length === 0 ? undefined : details,
    })
  })
}

/** Returns true when the user is active, or is deactivated with another end. */
const isOther = (user: User, { until = null }: Deactivation): boolean => user.isActive || user.inactiveUntil !== until

/** @throws KeywardError `validation_failed` with every wrong field */
function requireEnd({ clock }: AdministrationNeeds, { reason, until = null }: Deactivation): void {
  const errors: FieldError[] = []
  if (reason !== undefined && !/^\P{Cc}{1,200}$/u.test(reason))
    errors.push({ field: 'reason', message: 'The reason must have 1 to 200 characters and no control characters' })
  if (until !== null && until <= clock.now())
    errors.push({ field: 'inactive_until', message: 'The end of the deactivation must be in the future' })
  if (errors.length > 0) throw new KeywardError('validation_failed', { errors })
}

function readEnd(typed: string | undefined): EpochMs | null {
  if (typed === undefined) return null
  const until = parseRfc3339(typed)
  if (until === undefined) throw invalidField('inactive_until', invalidTime)
  return until
}

/** Implements `Administration.activate`. */
export const activate = (
  { store: db, audit, users }: AdministrationNeeds,
  { id }: Pick<User, 'id'>,
  by: Partial<By> = {},
): Promise<void> =>
  db.transaction(async () => {
    if (await users.activate(id)) await audit.record({ event: 'user.activated', userId: id, ...by })
  })

/** Implements `Administration.activateDue`. */
export const activateDue = ({ audit, users }: AdministrationNeeds, limit: number): Promise<number> =>
  users.activateDue(limit, async (ids) => {
    for (const userId of ids)
      await audit.record({ event: 'user.activated', userId, details: { reason: 'end_of_deactivation' } })
  })

/** @throws KeywardError `validation_failed` with every wrong field */
function readProfile(user: User, { username: typed, name }: Pick<UserChange, 'username' | 'name'>): Profile {
  const errors: FieldError[] = []
  const profile: Profile = {}
  // An administrator may give one of the reserved words as a username, as with `keyward users create`.
  const username = typed === undefined ? user.username : trimTyped(typed)
  if (username !== user.username) {
    profile.username = normalizeUsername(username)
    if (!profile.username) errors.push({ field: 'username', message: invalidUsername })
  }
  if (name !== undefined) {
    profile.name = name === null ? null : normalizeName(name)
    if (profile.name === undefined) errors.push({ field: 'name', message: invalidName })
  }
  if (errors.length > 0) throw new KeywardError('validation_failed', { errors })
  return profile
}
