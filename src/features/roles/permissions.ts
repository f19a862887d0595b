/** Every permission of this version, as `resource:action`. */
export const permissions = [
  'tokens:introspect',
  'users:read',
  'users:write',
  'roles:read',
  'roles:write',
  'api-keys:read',
  'api-keys:write',
  'keys:read',
  'keys:write',
  'providers:read',
  'providers:write',
  'mail:read',
  'mail:write',
  'clients:read',
  'clients:write',
  'audit:read',
] as const

export type Permission = (typeof permissions)[number]

export const isPermission = (word: string): word is Permission => (permissions as readonly string[]).includes(word)

/** The name of the role that has every permission, including permissions that later versions add. */
export const ADMIN = 'admin'
