/** Every permission there is, as `resource:action`. Roles and API keys hold a choice of these. */
export const permissions = ['tokens:introspect'] as const

export type Permission = (typeof permissions)[number]

export const isPermission = (word: string): word is Permission => (permissions as readonly string[]).includes(word)

/** The role that holds every permission, those of later versions too. */
export const ADMIN = 'admin'
