import type { EpochMs } from '../../lib/clock.ts'

/** An account as the rules see it; without its password. */
export interface User {
  id: number
  email: string
  emailVerifiedAt: EpochMs | null
  username: string
  isActive: boolean
  sessionEpoch: number
  deviceEpoch: number
  createdAt: EpochMs
  /** Names of the roles that were given, space separated; see `roleNames`. */
  grantedRoles: string | null
}

/** All roles of a user, in the order of the alphabet: `user`, which everybody has, and those that were given. */
export const roleNames = ({ grantedRoles }: Pick<User, 'grantedRoles'>): string[] =>
  grantedRoles === null ? ['user'] : ['user', ...grantedRoles.split(' ')].sort()

/** What a log-in is checked against: the hash and the epoch are read together, so a reset in between is noticed. */
export interface UserCredentials extends User {
  passwordHash: string | null
  passwordScheme: string | null
}
