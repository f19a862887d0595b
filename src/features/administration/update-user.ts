import { type FieldError, invalidField, KeywardError } from '../../errors.ts'
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

/** The changes that an administrator makes to a user. A member that is undefined stays as it is. */
export interface UserChange {
  isActive?: boolean
  /** Why the user is deactivated, for the audit log. */
  reason?: string
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
  { isActive, reason, ...typed }: UserChange,
): Promise<User> {
  const { users, audit } = needs
  const by = byOf(actor)
  if (reason !== undefined && !/^\P{Cc}{1,200}$/u.test(reason))
    throw invalidField('reason', 'The reason must have 1 to 200 characters and no control characters')
  if (reason !== undefined && isActive !== false)
    throw invalidField('reason', 'A reason belongs to a deactivation: send "is_active": false with it')
  const before = await changeUser(needs, actor, id, {
    permission: 'users:write',
    plan: async (user) => {
      const wanted = readProfile(user, typed)
      const hasProfile = differences(user, wanted).length > 0
      const hasState = isActive !== undefined && isActive !== user.isActive
      if (!hasProfile && !hasState) return undefined
      return async () => {
        if (hasProfile)
          await users.changeProfile({ id: user.id }, wanted, (fields) =>
            audit.record({ event: 'user.updated', userId: user.id, ...by, details: { fields: fields.join(' ') } }),
          )
        if (hasState) await (isActive ? activate(needs, user, by) : deactivate(needs, user, { ...by, reason }))
      }
    },
  })
  return (await users.find(before.id)) ?? before
}

/** Implements `Administration.deactivate`. */
export const deactivate = (
  { store: db, audit, users, roles, sessions }: AdministrationNeeds,
  { id }: Pick<User, 'id'>,
  { reason, ...by }: Partial<By> & { reason?: string } = {},
): Promise<void> =>
  db.transaction(async () => {
    const user = await roles.keepAnAdmin(id)
    if (!user?.isActive) return
    await users.setActive({ id, isActive: false })
    await sessions.endAll({ userId: id, reason: 'deactivated' })
    await sessions.forgetKnown({ userId: id })
    const details = reason === undefined ? undefined : { reason }
    await audit.record({ event: 'user.deactivated', userId: id, ...by, details })
  })

/** Implements `Administration.activate`. */
export const activate = (
  { store: db, audit, users }: AdministrationNeeds,
  { id }: Pick<User, 'id'>,
  by: Partial<By> = {},
): Promise<void> =>
  db.transaction(async () => {
    if (await users.setActive({ id, isActive: true }))
      await audit.record({ event: 'user.activated', userId: id, ...by })
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
