import { invalidField, KeywardError } from '../../errors.ts'
import { roleNames } from '../users/users.ts'
import type { AdministrationNeeds } from './administration.ts'
import { type Actor, byOf, changeUser } from './change-user.ts'

/** The user and the role, as in the path. */
export interface RoleOfUser {
  id: string
  role: string
}

const permission = 'roles:write'

/** Implements `Administration.grantRole`. */
export async function grantRole(needs: AdministrationNeeds, actor: Actor, { id, role }: RoleOfUser): Promise<void> {
  const { roles } = needs
  const by = byOf(actor)
  await changeUser(needs, actor, id, {
    permission,
    plan: async (user, present) => {
      const mayGrant = await roles.mayGrant(present, role)
      if (mayGrant === undefined) throw new KeywardError('role_not_found')
      if (!mayGrant) throw new KeywardError('forbidden')
      if (roleNames(user).includes(role)) return undefined
      return () => roles.grant({ userId: user.id, role, ...by })
    },
  })
}

/** Implements `Administration.withdrawRole`. */
export async function withdrawRole(needs: AdministrationNeeds, actor: Actor, { id, role }: RoleOfUser): Promise<void> {
  const { roles } = needs
  const by = byOf(actor)
  await changeUser(needs, actor, id, {
    permission,
    plan: async (user, present) => {
      if ((await roles.mayGrant(present, role)) === undefined) throw new KeywardError('role_not_found')
      if (role === 'user') throw invalidField('role', 'Every user has this role')
      if (!roleNames(user).includes(role)) return undefined
      return () => roles.withdraw({ userId: user.id, role, ...by })
    },
  })
}
