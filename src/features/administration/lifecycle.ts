import type { User } from '../users/users.ts'
import type { AdministrationNeeds } from './administration.ts'

export async function deactivate(
  { store: db, audit, users, roles, sessions }: AdministrationNeeds,
  { id }: User,
): Promise<void> {
  await db.transaction(async () => {
    const user = await roles.keepAnAdmin(id)
    if (!user?.isActive) return
    await users.setActive({ id, isActive: false })
    await sessions.endAll({ userId: id, reason: 'deactivated' })
    await audit.record({ event: 'user.deactivated', userId: id })
  })
}

export async function activate({ store: db, audit, users }: AdministrationNeeds, { id }: User): Promise<void> {
  await db.transaction(async () => {
    if (await users.setActive({ id, isActive: true })) await audit.record({ event: 'user.activated', userId: id })
  })
}

export async function deleteUser({ store: db, audit, users, roles }: AdministrationNeeds, { id }: User): Promise<void> {
  await db.transaction(async () => {
    if (!(await roles.keepAnAdmin(id))) return
    await users.remove(id)
    await audit.forgetUser(id)
    await audit.record({ event: 'user.deleted', userId: id })
  })
}
