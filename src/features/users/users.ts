import type { Clock } from '../../lib/clock.ts'
import type { Store } from '../../storage/store.ts'
import { type BulkUser, findHolders, insertAllOrNone, type UserKeys } from './bulk.ts'
import { checkFree, create, type NewUser } from './create.ts'
import { findAccount, findByName, type NamedAccount } from './find.ts'
import * as store from './store.ts'
import type { User } from './user.ts'

export type { BulkUser, UserKeys } from './bulk.ts'
export type { NewUser } from './create.ts'
export { invalidEmail, normalizeEmail } from './email.ts'
export type { NamedAccount } from './find.ts'
export { roleNames, type User, type UserCredentials } from './user.ts'
export {
  invalidUsername,
  isReservedUsername,
  normalizeImportedUsername,
  normalizeUsername,
  reservedUsername,
} from './username.ts'

export interface UsersNeeds {
  store: Store
  clock: Clock
}

/** The users' records: the one writer of the table `users`. Ending sessions and the audit events are the caller's. */
export interface Users {
  /** The user with this id, active or not. */
  find(id: number): Promise<User | undefined>
  /** The user that a username or an address names, active or not. */
  findByName(typed: string): Promise<User | undefined>
  /** The account that a username or an address names, with the hash that its password is checked against. */
  findAccount(typed: string): Promise<NamedAccount>
  /** A page of users by ascending id, beginning after `after`. */
  list(page: { after: number; limit: number }): Promise<User[]>
  /**
   * Refuses taken names early, so that nobody waits for a hash in vain. `create` decides.
   * @throws KeywardError `email_taken` (also when both are), `username_taken`
   */
  checkFree(names: { emailKey: string; usernameKey: string }): Promise<void>
  /**
   * Adds a user, and what `alongside` writes, in one transaction. Of two at once with one name exactly one wins.
   * @throws KeywardError `email_taken` (also when both are), `username_taken`
   */
  create(user: NewUser, alongside: (user: User) => Promise<void>): Promise<User>
  /** The password columns of a user. */
  findPassword(id: number): Promise<{ hash: string | null; scheme: string | null } | undefined>
  /** Replaces the hash that was verified. @returns false when it is another one by now */
  replacePassword(change: { id: number; verifiedHash: string; hash: string; scheme: string }): Promise<boolean>
  /** Sets a password whatever it was, and voids the user's device tokens. @returns false when the user is gone */
  setPassword(change: { id: number; hash: string; scheme: string }): Promise<boolean>
  /** Activates or deactivates a user. @returns false when nothing changed */
  setActive(change: { id: number; isActive: boolean }): Promise<boolean>
  /** Deletes a user and every row that refers to it. */
  remove(id: number): Promise<void>
  /**
   * Locks an active user at this session epoch until the transaction ends, so that its sessions begin one after another.
   * @returns the device epoch; undefined when the user is inactive, gone, or at another epoch
   */
  holdForSession(user: { id: number; epoch: number }): Promise<number | undefined>
  setDeviceEpoch(user: { id: number; deviceEpoch: number }): Promise<void>
  /** Ends every session that carries the present epoch. @returns the new epoch; undefined when the user is gone */
  raiseSessionEpoch(id: number): Promise<number | undefined>
  /** The users that hold the id, the address or the name of one of these. */
  findHolders(keys: readonly UserKeys[]): Promise<UserKeys[]>
  /**
   * Adds users with ids of their own, all of them or none, and what `alongside` writes. Ids given out later are higher.
   * @returns false when an id, an address or a name is taken; nothing was written then
   */
  insertAllOrNone(users: readonly BulkUser[], alongside: () => Promise<void>): Promise<boolean>
}

export function createUsers(needs: UsersNeeds): Users {
  const { store: db, clock } = needs
  return {
    find: (id) => store.findById(db, id),
    findByName: (typed) => findByName(needs, typed),
    findAccount: (typed) => findAccount(needs, typed),
    list: (page) => store.list(db, page),
    checkFree: (names) => checkFree(needs, names),
    create: (user, alongside) => create(needs, user, alongside),
    findPassword: (id) => store.findPassword(db, id),
    replacePassword: (change) => store.replaceHash(db, { ...change, now: clock.now() }),
    setPassword: (change) => store.setPasswordHash(db, { ...change, now: clock.now() }),
    setActive: (change) => store.setActive(db, { ...change, now: clock.now() }),
    remove: (id) => store.remove(db, id),
    holdForSession: (user) => store.holdForSession(db, user),
    async setDeviceEpoch(user) {
      await store.setDeviceEpoch(db, user)
    },
    raiseSessionEpoch: (id) => store.raiseSessionEpoch(db, id),
    findHolders: (keys) => findHolders(needs, keys),
    insertAllOrNone: (users, alongside) => insertAllOrNone(needs, users, alongside),
  }
}
