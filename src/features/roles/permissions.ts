/** All permissions, as `resource:action`. Roles and API keys have some of these. */
export const permissions = ['tokens:introspect'] as const

export type Permission = (typeof permissions)[number]

export const isPermission = (word: string): word is Permission => (permissions as readonly string[]).includes(word)

/** The role that has every permission, including those of later versions. */
export const ADMIN = 'admin'
