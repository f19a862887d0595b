import type { Clock } from '../../lib/clock.ts'
import type { Store } from '../../storage/store.ts'
import type { MacKeys } from '../secrets/secrets.ts'
import { findHolders, insertAllOrNone } from './bulk.ts'
import { checkFree, create } from './create.ts'
import { findAccount, findByName, type NamedAccount } from './find.ts'
import { freeName, remove } from './reserved-names.ts'
import * as store from './store.ts'
import type { BulkUser, Contact, NewUser, User, UserKeys } from './user.ts'

export { invalidEmail, normalizeEmail } from './email.ts'
export { type BulkUser, roleNames, type User, type UserCredentials, type UserKeys } from './user.ts'
export {
  invalidUsername,
  isReservedUsername,
  nameKeysOf,
  normalizeImportedUsername,
  normalizeUsername,
  reservedUsername,
  trimTyped,
} from './username.ts'

export interface UsersNeeds {
  store: Store
  clock: Clock
  /** The keys for MACs of reserved names. */
  macKeys: () => MacKeys
}

/** The users. No other feature writes the table `users`. The calling code ends sessions and records audit events. */
export interface Users {
  /** The user with this id, active or not. */
  find(id: number): Promise<User | undefined>
  /** Where and in which language to write to this user. */
  findContact(id: number): Promise<Contact | undefined>
  /** The user with this username or address, active or not. */
  findByName(typed: string): Promise<User | undefined>
  /** The user with this username or address, active or not, and the password hash. */
  findAccount(typed: string): Promise<NamedAccount>
  /** A page of users by ascending id, after the id `after`. */
  list(page: { after: number; limit: number }): Promise<User[]>
  /**
   * Checks before the password is hashed that the address and the username are free. A username that is reserved,
   * because a deleted user had it, is not free. `create` checks both a second time.
   * @throws KeywardError `email_taken` (also when both are taken), `username_taken`
   */
  checkFree(names: Pick<NewUser, 'emailKey' | 'usernameKey'>): Promise<void>
  /**
   * Adds a user and runs `alongside` in the same transaction. Of two concurrent calls with the same address or
   * username, one succeeds.
   * @throws KeywardError `email_taken` (also when both are taken), `username_taken`
   */
  create(user: NewUser, alongside: (user: User) => Promise<void>): Promise<User>
  /** The password columns of a user. */
  findPassword(id: number): Promise<{ hash: string | null; scheme: string | null } | undefined>
  /** Replaces a password hash. @returns false when the stored hash is no longer `verifiedHash` */
  replacePassword(change: { id: number; verifiedHash: string; hash: string; scheme: string }): Promise<boolean>
  /** Sets a password. @returns false when the user was deleted */
  setPassword(change: { id: number; hash: string; scheme: string }): Promise<boolean>
  /** Notes that the user's address is proved. @returns false when it was proved before, or the user was deleted */
  setEmailVerified(id: number): Promise<boolean>
  /** Activates or deactivates a user. @returns false when nothing changed */
  setActive(change: { id: number; isActive: boolean }): Promise<boolean>
  /** Deletes a user and every row with a foreign key to the user. The username stays reserved, as a MAC. */
  remove(id: number): Promise<void>
  /** Lets the username of a deleted user be taken again. @returns false when it was not reserved */
  freeName(typed: string): Promise<boolean>
  /**
   * Locks the row of an active user with this session epoch until the transaction ends. So the sessions of one user
   * begin one after another.
   * @returns false when the user is inactive, deleted, or has another session epoch
   */
  holdForSession(user: { id: number; epoch: number }): Promise<boolean>
  /** Revokes the user's device tokens of versions before 0.3.0. `Sessions.forgetKnown` revokes the others too. */
  clearDeviceEpoch(id: number): Promise<void>
  /** Ends all sessions of the user. @returns the new session epoch; undefined when the user was deleted */
  raiseSessionEpoch(id: number): Promise<number | undefined>
  /** The users that have the id, the address or the username of one of the `keys`. */
  findHolders(keys: readonly UserKeys[]): Promise<UserKeys[]>
  /**
   * Adds users with their ids and runs `alongside` in the same transaction. Ids that the database assigns later are
   * higher. A username that a deleted user had is not refused.
   * @returns false when an id, an address or a username is taken. Then no user was added
   */
  insertAllOrNone(users: readonly BulkUser[], alongside: () => Promise<void>): Promise<boolean>
}

export function createUsers(needs: UsersNeeds): Users {
  const { store: db, clock } = needs
  return {
    find: (id) => store.findById(db, id),
    findContact: (id) => store.findContact(db, id),
    findByName: (typed) => findByName(needs, typed),
    findAccount: (typed) => findAccount(needs, typed),
    list: (page) => store.list(db, page),
    checkFree: (names) => checkFree(needs, names),
    create: (user, alongside) => create(needs, user, alongside),
    findPassword: (id) => store.findPassword(db, id),
    replacePassword: (change) => store.replaceHash(db, { ...change, now: clock.now() }),
    setPassword: (change) => store.setPasswordHash(db, { ...change, now: clock.now() }),
    setEmailVerified: (id) => store.setEmailVerified(db, { id, now: clock.now() }),
    setActive: (change) => store.setActive(db, { ...change, now: clock.now() }),
    remove: (id) => remove(needs, id),
    freeName: (typed) => freeName(needs, typed),
    holdForSession: (user) => store.holdForSession(db, user),
    clearDeviceEpoch: (id) => store.clearDeviceEpoch(db, id),
    raiseSessionEpoch: (id) => store.raiseSessionEpoch(db, id),
    findHolders: (keys) => findHolders(needs, keys),
    insertAllOrNone: (users, alongside) => insertAllOrNone(needs, users, alongside),
  }
}
