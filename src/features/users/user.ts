import type { EpochMs } from '../../lib/clock.ts'
import type { Locale } from '../../lib/locale.ts'

/** A user without the password hash. */
export interface User {
  id: number
  email: string
  emailVerifiedAt: EpochMs | null
  username: string
  isActive: boolean
  sessionEpoch: number
  deviceEpoch: number
  createdAt: EpochMs
  /** Names of the granted roles, space separated; see `roleNames`. */
  grantedRoles: string | null
}

/** All roles of a user in alphabetical order: `user`, which every user has, and the granted ones. */
export const roleNames = ({ grantedRoles }: Pick<User, 'grantedRoles'>): string[] =>
  grantedRoles === null ? ['user'] : ['user', ...grantedRoles.split(' ')].sort()

/**
 * A user with the password hash. One statement reads both. If the password is reset after this read, the session epoch
 * of the user changes, and the login notices the reset.
 */
export interface UserCredentials extends User {
  passwordHash: string | null
  passwordScheme: string | null
}

/** How to write to a user. */
export interface Contact {
  email: string
  username: string
  /** A `Locale`; null when the user's language is not known. */
  locale: string | null
}

export interface NewUser {
  email: string
  emailKey: string
  username: string
  usernameKey: string
  passwordHash: string
  passwordScheme: string
  locale: Locale | null
}

/** An imported user, which keeps its id and its hash. */
export interface BulkUser extends Omit<NewUser, 'locale'> {
  id: number
  isActive: boolean
  createdAt: EpochMs
}

/** The values of a user that no other user has. */
export type UserKeys = Pick<BulkUser, 'id' | 'emailKey' | 'usernameKey'>
