import type { Deps } from '../../service.ts'
import { roleNames, type User } from '../users/user.ts'
import * as store from './store.ts'

/** Every permission there is: `resource:action`. Roles and API keys hold a choice of these. */
export const permissions = [
  'tokens:introspect',
  'users:read',
  'users:write',
  'sessions:write',
  'roles:read',
  'roles:write',
  'api-keys:read',
  'api-keys:write',
  'keys:read',
  'keys:write',
  'audit:read',
] as const

export type Permission = (typeof permissions)[number]

export const isPermission = (word: string): word is Permission => (permissions as readonly string[]).includes(word)

/** The role that holds every permission, those of later versions too. */
export const ADMIN = 'admin'

/** What a user may do now: what their roles hold together. */
export async function permissionsOf(
  deps: Pick<Deps, 'store'>,
  user: Pick<User, 'id' | 'grantedRoles'>,
): Promise<ReadonlySet<Permission>> {
  if (roleNames(user).includes(ADMIN)) return new Set(permissions)
  const held = await store.permissionsOfUser(deps.store, user.id)
  return new Set(held.flatMap((words) => words.split(' ')).filter(isPermission))
}
