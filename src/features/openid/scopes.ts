import { SECOND } from '../../lib/clock.ts'
import { roleNames, type User } from '../users/users.ts'

/** The scopes that Keyward itself gives a meaning, in the order of the consent page. */
export const standardScopes = ['openid', 'profile', 'email', 'groups', 'offline_access'] as const
export type StandardScope = (typeof standardScopes)[number]

/** A scope token (RFC 6749 section 3.3). */
const scopeToken = /^[\x21\x23-\x5b\x5d-\x7e]+$/

/**
 * Reads the parameter `scope`: tokens separated by single spaces.
 * @returns each token once; undefined for a text of another form
 */
export function readScope(text: string): string[] | undefined {
  const tokens = text.split(' ')
  return tokens.every((token) => scopeToken.test(token)) ? [...new Set(tokens)] : undefined
}

export const hasScope = (scope: string, wanted: StandardScope): boolean => scope.split(' ').includes(wanted)

/** The claims about a user (OpenID Connect Core section 5.1). */
export interface UserClaims {
  name?: string
  preferred_username?: string
  /** In seconds since 1970. */
  updated_at?: number
  email?: string
  email_verified?: boolean
  groups?: string[]
}

/** Every claim that the scopes give, for the metadata. */
export const scopeClaims = [
  'name',
  'preferred_username',
  'updated_at',
  'email',
  'email_verified',
  'groups',
] as const satisfies (keyof UserClaims)[]

/**
 * The claims about a user that a scope gives (OpenID Connect Core section 5.4); `groups` are the roles. A claim without a
 * value is absent, never null and never empty (section 5.3.2). `name` is the username for a user without a name, because
 * some clients refuse a user without this claim.
 */
export function claimsOf(user: User, scope: string): UserClaims {
  const scopes = scope.split(' ')
  const claims: UserClaims = {}
  if (scopes.includes('profile')) {
    claims.name = user.name ?? user.username
    claims.preferred_username = user.username
    claims.updated_at = Math.floor(user.updatedAt / SECOND)
  }
  if (scopes.includes('email')) {
    claims.email = user.email
    claims.email_verified = user.emailVerifiedAt !== null
  }
  if (scopes.includes('groups')) claims.groups = roleNames(user)
  return claims
}
