import { invalidField, KeywardError } from '../../errors.ts'
import type { Locale } from '../../lib/locale.ts'
import { accountWrite } from '../limits/limits.ts'
import { ADMIN } from '../roles/roles.ts'
import type { SessionCaller } from '../sessions/sessions.ts'
import { roleNames, type User } from '../users/users.ts'
import type { AdministrationNeeds } from './administration.ts'
import { type Actor, byOf, changeUser, requireRight } from './change-user.ts'

/** A user whom an administrator adds. */
export interface AddedUser {
  email: string
  username: string
  /** Undefined to invite the user by mail. */
  password?: string | undefined
  name?: string | undefined
  locale?: Locale | null
  /** The roles to grant. */
  roles: readonly string[]
}

/** Implements `Administration.createUser`. */
export async function createUser(
  { accounts, roles, invitations }: AdministrationNeeds,
  { admin, ...account }: Omit<AddedUser, 'roles'> & { admin: boolean },
): Promise<User> {
  const isInvited = account.password === undefined
  if (isInvited && !invitations.isOn) throw new KeywardError('mail_not_configured')
  const user = await accounts.create(account, async ({ id }) => {
    if (admin) await roles.grant({ userId: id, role: ADMIN })
    if (isInvited) await invitations.send(id, {})
  })
  if (admin) await invitations.tidyFirstAdmin()
  return user
}

/** Implements `Administration.addUser`. */
export async function addUser(needs: AdministrationNeeds, actor: Actor, added: AddedUser): Promise<User> {
  const { accounts, limits, roles, invitations } = needs
  const { caller, client, ip } = actor
  const by = byOf(actor)
  await accounts.requireFresh(caller, { client, ip })
  await requireGrants(needs, caller, added.roles)
  const isInvited = added.password === undefined
  if (isInvited && !invitations.isOn) throw new KeywardError('mail_not_configured')
  await using place = await limits.reserve([accountWrite(caller.userId)], { userId: caller.userId, ip })
  const user = await accounts.create({ ...added, by }, async (created) => {
    await roles.lock()
    await requireGrants(needs, caller, added.roles)
    const isNew = (role: string) => !roleNames(created).includes(role)
    for (const role of new Set(added.roles.filter(isNew))) await roles.grant({ userId: created.id, role, ...by })
    if (isInvited) await invitations.send(created.id, by)
  })
  place.keep()
  return user
}

/**
 * Checks that an administrator may add users, and may grant these roles.
 * @throws KeywardError `invalid_token`, `forbidden`; `validation_failed` for a role that does not exist
 */
async function requireGrants(
  needs: AdministrationNeeds,
  caller: SessionCaller,
  granted: readonly string[],
): Promise<void> {
  const actor = await requireRight(needs, caller, 'users:write')
  if (granted.length > 0) await requireRight(needs, caller, 'roles:write')
  for (const role of granted) {
    const mayGrant = await needs.roles.mayGrant(actor, role)
    if (mayGrant === undefined) throw invalidField('roles', 'One of these roles does not exist')
    if (!mayGrant) throw new KeywardError('forbidden')
  }
}

/** Implements `Administration.inviteAgain`. */
export async function inviteAgain(needs: AdministrationNeeds, actor: Actor, id: string): Promise<void> {
  const { invitations } = needs
  await changeUser(needs, actor, id, {
    permission: 'users:write',
    plan: async (user) => {
      if (!invitations.isOn) throw new KeywardError('mail_not_configured')
      if (!user.isActive) throw new KeywardError('user_inactive')
      if (user.invitedAt === null) throw new KeywardError('not_invited')
      return () => invitations.sendAgain(user.id, byOf(actor))
    },
  })
}
