import { type FieldError, KeywardError } from '../../errors.ts'
import { ADMIN, isPermission, type Permission, permissions } from './permissions.ts'

/** A role, with the permissions that it gives in this version. */
export interface Role {
  name: string
  description: string
  /** In the order of `permissions`. The role `admin` has every permission. */
  permissions: readonly Permission[]
  /** True when the role counts only in sessions with a second factor. For `admin`, a setting decides. */
  requiresSecondFactor: boolean
}

/** The values of a role as typed. A member that is undefined stays as it is. */
export interface RoleText {
  description?: string
  permissions?: readonly string[]
  requiresSecondFactor?: boolean
}

/** Returns true for a text that a role of any version may have as its name. PostgreSQL refuses some other texts. */
export const isRoleName = (text: string): boolean => /^[A-Za-z0-9_-]{1,64}$/.test(text)

/** Returns true for the two roles that exist from the start. Nobody changes or deletes them. */
export const isBuiltIn = (name: string): boolean => builtInRoles.includes(name)

export const builtInRoles: readonly string[] = ['user', ADMIN]

/** Permissions without doubles, in the order of the list of all permissions. */
export const inOrder = (words: Iterable<string>): Permission[] => {
  const given = new Set(words)
  return permissions.filter((permission) => given.has(permission))
}

/**
 * Reads the name and the values of a new role. Names have no capital letters, so that no two roles look alike.
 * @throws KeywardError `validation_failed` with every wrong field
 */
export function readRole(
  name: string,
  { description = '', permissions: words = [], requiresSecondFactor = false }: RoleText,
): Role {
  const errors: FieldError[] = []
  if (!/^[a-z][a-z0-9_-]{0,63}$/.test(name))
    errors.push({
      field: 'name',
      message: 'The name must have 1 to 64 small letters, digits, "_" and "-", and begin with a letter',
    })
  errors.push(...errorsIn({ description, permissions: words }))
  if (errors.length > 0) throw new KeywardError('validation_failed', { errors })
  return { name, description, permissions: inOrder(words), requiresSecondFactor }
}

/**
 * Applies changes to a role.
 * @throws KeywardError `validation_failed` with every wrong field
 */
export function changedRole(
  role: Role,
  { description, permissions: words, requiresSecondFactor = role.requiresSecondFactor }: RoleText,
): Role {
  const errors = errorsIn({ description, permissions: words })
  if (errors.length > 0) throw new KeywardError('validation_failed', { errors })
  return {
    name: role.name,
    description: description ?? role.description,
    permissions: words === undefined ? role.permissions : inOrder(words),
    requiresSecondFactor,
  }
}

/** Returns true when both roles have the same description and permissions, and both or none require a second factor. */
export const isSameRole = (one: Role, other: Role): boolean =>
  one.description === other.description &&
  one.permissions.join() === other.permissions.join() &&
  one.requiresSecondFactor === other.requiresSecondFactor

function errorsIn({ description, permissions: words }: RoleText): FieldError[] {
  const errors: FieldError[] = []
  if (description !== undefined && !/^\P{Cc}{0,200}$/u.test(description))
    errors.push({
      field: 'description',
      message: 'The description must have at most 200 characters and no control characters',
    })
  if (words !== undefined && !words.every(isPermission))
    errors.push({ field: 'permissions', message: `Each permission must be one of ${permissions.join(', ')}` })
  return errors
}
