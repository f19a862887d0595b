import type { EpochMs } from '../../lib/clock.ts'
import type { Locale } from '../../lib/locale.ts'
import type { Username } from './username.ts'

/** A user without the password hash. */
export interface User {
  id: number
  email: string
  emailVerifiedAt: EpochMs | null
  username: string
  /** The person's name, as the person gave it; null when there is none. */
  name: string | null
  /** A `Locale`; null when the user's language is not known. */
  locale: string | null
  isActive: boolean
  /** When a deactivated user becomes active by itself; null for an active user, and for a deactivation without an end. */
  inactiveUntil: EpochMs | null
  sessionEpoch: number
  deviceEpoch: number
  /** When the user was last invited; null when the user has accepted, or was never invited. */
  invitedAt: EpochMs | null
  createdAt: EpochMs
  /** When the profile, the address, the password or the activity last changed. */
  updatedAt: EpochMs
  /** The names of the granted roles, separated by spaces; null when there are none. Use `roleNames` to read them. */
  grantedRoles: string | null
}

/** All roles of a user in alphabetical order: `user`, which every user has, and the granted ones. */
export const roleNames = ({ grantedRoles }: Pick<User, 'grantedRoles'>): string[] =>
  grantedRoles === null ? ['user'] : ['user', ...grantedRoles.split(' ')].sort()

/**
 * A user with the password hash, both read by one statement. If the password is changed after this read, the session
 * epoch in the table changes too. A login with the old password then fails, because its session epoch is the old one.
 */
export interface UserCredentials extends User {
  passwordHash: string | null
  passwordScheme: string | null
}

/** The address, the name and the language for mail to a user. */
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
  /** Null for an invited user, who has no password yet. */
  passwordHash: string | null
  passwordScheme: string | null
  name: string | null
  locale: Locale | null
  /** For an invited user: who has invited the user. */
  invitation?: Invitation
}

/** An invitation that was not accepted yet. */
export interface Invitation {
  at: EpochMs
  /** The id of the administrator who invited the user; null for a command. */
  by: number | null
}

/** New values for the profile of a user. A member that is undefined stays as it is. */
export interface Profile {
  username?: Username
  name?: string | null
  locale?: Locale | null
}

/** All that is known about a user, for an export. */
export interface FullUser extends User, UserCredentials, Pick<BulkUser, 'externalId' | 'externalSource'> {
  updatedAt: EpochMs
}

/** A user of an import, with the id and the password hash of the other service. */
export interface BulkUser extends Omit<NewUser, 'invitation'> {
  /** Undefined when the database is to assign the id. */
  id: number | undefined
  /** The id in the other service, if `id` cannot keep it, and the name of that service. Both are null without one. */
  externalId: string | null
  externalSource: string | null
  emailVerifiedAt: EpochMs | null
  isActive: boolean
  /** When a deactivated user becomes active by itself; null for an active user, and for a deactivation without an end. */
  inactiveUntil: EpochMs | null
  /** When the user was invited; null without an open invitation. */
  invitedAt: EpochMs | null
  createdAt: EpochMs
}

/** The three values of a user that must differ from those of every other user. */
export type UserKeys = Pick<BulkUser, 'emailKey' | 'usernameKey'> & { id: number }

/** All values of an imported user that must differ from those of every other user. The last two count together. */
export type BulkKeys = UserKeys & Pick<BulkUser, 'externalId' | 'externalSource'>
