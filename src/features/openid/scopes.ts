import { SECOND } from '../../lib/clock.ts'
import { roleNames, type User } from '../users/users.ts'

/** The scopes that Keyward itself gives a meaning, in the order of the consent page. */
export const standardScopes = ['openid', 'profile', 'email', 'groups', 'offline_access'] as const
export type StandardScope = (typeof standardScopes)[number]

/** The claims of each scope (OpenID Connect Core section 5.4). `groups` are the roles. */
const claimsOfScope = {
  profile: ['name', 'preferred_username', 'updated_at'],
  email: ['email', 'email_verified'],
  groups: ['groups'],
} as const

/** Every claim that the scopes give, for the metadata. */
export const scopeClaims: readonly string[] = Object.values(claimsOfScope).flat()

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

/**
 * The claims about a user that a scope gives. A claim without a value is absent, never null and never empty (OpenID
 * Connect Core section 5.3.2). `name` is the username for a user without a name, because some clients refuse a user
 * without this claim.
 */
export function claimsOf(user: User, scope: string): UserClaims {
  const all: Required<UserClaims> = {
    name: user.name ?? user.username,
    preferred_username: user.username,
    updated_at: Math.floor(user.updatedAt / SECOND),
    email: user.email,
    email_verified: user.emailVerifiedAt !== null,
    groups: roleNames(user),
  }
  const scopes = new Set(scope.split(' '))
  const granted = Object.entries(claimsOfScope).flatMap(([name, claims]) => (scopes.has(name) ? claims : []))
  return Object.fromEntries(granted.map((claim) => [claim, all[claim]])) as UserClaims
}
