import { KeywardError } from '../../errors.ts'
import { changedRole, isBuiltIn, isSameRole, type Role, type RoleText, readRole } from '../roles/roles.ts'
import type { User } from '../users/users.ts'
import type { AdministrationNeeds } from './administration.ts'
import { type Actor, byOf, makeChange } from './change-user.ts'
import { type Page, pageOf } from './lists.ts'

const permission = 'roles:write'

/**
 * What administrators do to roles. A change of a role counts at once at Keyward. Nobody gives a role a permission that
 * they do not have, and nobody changes or deletes a role that has a permission, or a user with a permission, that they
 * do not have. The last administrator stays, because the role `admin` cannot be changed.
 */
export interface RoleAdministration {
  /** A page of roles, by name. @param page.after the last name of the page before; empty for the first page */
  listRoles(page: { after: string; limit: number }): Promise<Page<Role, string>>
  /** @throws KeywardError `role_not_found` */
  findRole(name: string): Promise<Role>
  /**
   * Creates a role, which nobody has yet.
   * @throws KeywardError `validation_failed`, `role_taken`, and the errors of `makeChange`
   */
  createRole(actor: Actor, role: RoleText & { name: string }): Promise<Role>
  /**
   * Changes the description and the permissions of a role. Nothing is written when nothing changes.
   * @throws KeywardError `role_not_found`, `role_built_in`, `validation_failed`, and the errors of `makeChange`
   */
  updateRole(actor: Actor, name: string, change: RoleText): Promise<Role>
  /**
   * Deletes a role, and withdraws it from every user.
   * @throws KeywardError `role_not_found`, `role_built_in`, and the errors of `makeChange`
   */
  deleteRole(actor: Actor, name: string): Promise<void>
}

export const roleAdministration = (needs: AdministrationNeeds): RoleAdministration => ({
  listRoles: ({ after, limit }) =>
    pageOf(
      limit,
      (most) => needs.roles.list({ after, limit: most }),
      ({ name }) => name,
    ),
  findRole: (name) => findRole(needs, name),

  async createRole(actor, { name, ...text }) {
    const { roles } = needs
    const made = await makeChange(needs, actor, {
      permission,
      plan: async (present) => {
        const role = readRole(name, text)
        await requireGrant(needs, present, role)
        if (await roles.find(name)) throw new KeywardError('role_taken')
        return async () => {
          await roles.create(role, byOf(actor))
          return role
        }
      },
    })
    return made!
  },

  async updateRole(actor, name, change) {
    const made = await makeChange(needs, actor, {
      permission,
      plan: async (present) => {
        const from = await findRole(needs, name)
        const to = changedRole(from, change)
        await requireCharge(needs, present, from)
        await requireGrant(needs, present, to)
        if (isSameRole(from, to)) return undefined
        if (isBuiltIn(name)) throw new KeywardError('role_built_in')
        return () => needs.roles.update({ from, to }, byOf(actor)).then(() => to)
      },
    })
    return made ?? findRole(needs, name)
  },

  async deleteRole(actor, name) {
    await makeChange(needs, actor, {
      permission,
      plan: async (present) => {
        const role = await findRole(needs, name)
        await requireCharge(needs, present, role)
        if (isBuiltIn(name)) throw new KeywardError('role_built_in')
        return () => needs.roles.remove(role, byOf(actor))
      },
    })
  },
})

/** @throws KeywardError `role_not_found` */
export async function findRole({ roles }: Pick<AdministrationNeeds, 'roles'>, name: string): Promise<Role> {
  const role = await roles.find(name)
  if (!role) throw new KeywardError('role_not_found')
  return role
}

/** @throws KeywardError `forbidden` when the role gives a permission that the administrator does not have */
async function requireGrant({ roles }: AdministrationNeeds, actor: User, role: Role): Promise<void> {
  const held = await roles.permissionsOf(actor)
  if (!role.permissions.every((word) => held.has(word))) throw new KeywardError('forbidden')
}

/** @throws KeywardError `forbidden` when the role, or a user who has it, has more permissions than the administrator */
async function requireCharge(needs: AdministrationNeeds, actor: User, role: Role): Promise<void> {
  await requireGrant(needs, actor, role)
  if (!(await needs.roles.outranksHolders(actor, role.name))) throw new KeywardError('forbidden')
}
