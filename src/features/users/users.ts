import type { Clock, EpochMs } from '../../lib/clock.ts'
import type { Db, Store } from '../../storage/store.ts'
import type { MacKeys } from '../secrets/secrets.ts'
import * as addresses from './addresses.store.ts'
import { changeEmail, findAddressOwner, restoreEmail } from './addresses.ts'
import * as all from './all.store.ts'
import { findHolders, insertAllOrNone } from './bulk.ts'
import { changeProfile } from './change-profile.ts'
import { checkFree, checkUsernameFree, create } from './create.ts'
import { findAccount, findByName, type NamedAccount } from './find.ts'
import * as invited from './invited.store.ts'
import { type Acceptance, acceptInvitation } from './invited.ts'
import { freeName, remove } from './reserved-names.ts'
import type { UserFilter } from './search.store.ts'
import { search } from './search.ts'
import * as store from './store.ts'
import type { BulkKeys, BulkUser, Contact, FullUser, Invitation, NewUser, Profile, User } from './user.ts'

export { differences } from './change-profile.ts'
export { invalidEmail, normalizeEmail } from './email.ts'
export type { UserMark, UserOrder } from './order.store.ts'
export { invalidName, normalizeName } from './person-name.ts'
export { markOf } from './search.ts'
export {
  type BulkKeys,
  type BulkUser,
  type FullUser,
  type NewUser,
  type Profile,
  roleNames,
  type User,
  type UserCredentials,
} from './user.ts'
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
  /** Returns the data keys for the MACs of reserved names. */
  macKeys: () => MacKeys
}

/**
 * Finds, adds, changes and deletes users. No other feature writes the table `users`. No function records an audit
 * event. Of the changes, only `raiseSessionEpoch` and `remove` end sessions. The feature that calls another function
 * must end the sessions itself if the change requires it.
 */
export interface Users {
  /** The user with this id, active or not. */
  find(id: number): Promise<User | undefined>
  /** The stored data of a user for an export, without password hashes and MACs. */
  exportOf(id: number): Promise<{ user: object | undefined; formerUsernames: object[]; formerAddresses: object[] }>
  /** The address, the name and the language for mail to this user. */
  findContact(id: number): Promise<Contact | undefined>
  /** The user with this username or address, active or not. */
  findByName(typed: string): Promise<User | undefined>
  /** The user with this username or address, active or not, with the password hash and the key for rate limits. */
  findAccount(typed: string): Promise<NamedAccount>
  /** Up to `limit` users with an id above `after`, by ascending id. */
  list(page: { after: number; limit: number }): Promise<User[]>
  /**
   * Up to `limit` users who match all of the filter, in the given order, behind `after`. A page costs no
   * more in a large table than in a small one, unless many users match and all of them are far away in the order.
   * @param filter.q the beginning of an address or a username in any case, or of an id in decimal digits
   * @param filter.externalId the id in the service from which the user was imported, exactly
   * @throws KeywardError `validation_failed` for a `q` that no address and no username can begin with
   */
  search(filter: { q?: string } & Omit<UserFilter, 'names'>): Promise<User[]>
  /**
   * Checks that no user has the address or the username, that the address is not reserved, and that no other user had
   * the username before. Call this function before the password is hashed, so that a request for a taken name costs no
   * hash. `create` makes the same checks again.
   * @throws KeywardError `email_taken` (also when both are taken), `username_taken`
   */
  checkFree(names: Pick<NewUser, 'emailKey' | 'usernameKey'>): Promise<void>
  /**
   * Checks a username as `checkFree` does, and no address.
   * @throws KeywardError `username_taken`
   */
  checkUsernameFree(usernameKey: string): Promise<void>
  /**
   * Adds a user and runs `alongside` in the same transaction. Of concurrent calls with the same address or username, at
   * most one succeeds.
   * @throws KeywardError `email_taken` (also when both are taken), `username_taken`; the error of `alongside`
   */
  create(user: NewUser, alongside: (user: User) => Promise<void>): Promise<User>
  /** The password hash of a user and the `PasswordScheme` of the hash; undefined when the user was deleted. */
  findPassword(id: number): Promise<{ hash: string | null; scheme: string | null } | undefined>
  /**
   * Replaces a password hash. @returns false when the stored hash is not `verifiedHash` any more, or the user is
   * deleted
   */
  replacePassword(change: { id: number; verifiedHash: string; hash: string; scheme: string }): Promise<boolean>
  /**
   * Stores a password hash, whatever the former hash was. An open invitation of the user ends.
   * @returns false when the user was deleted
   */
  setPassword(change: { id: number; hash: string; scheme: string }): Promise<boolean>
  /** The open invitation of a user; undefined when there is none. */
  findInvitation(id: number): Promise<Invitation | undefined>
  /**
   * Records another invitation of an active user. @returns false when the user has no open invitation, is inactive, or
   * was deleted
   */
  renewInvitation(of: { id: number; by: number | null }): Promise<boolean>
  /**
   * Ends the invitation of an active user and stores the password, the username and the language that the user has
   * chosen, in the current transaction. Roll the transaction back after an error. Of several concurrent calls, only one
   * succeeds.
   * @returns false when the user has no open invitation, is inactive, or was deleted
   * @throws KeywardError `username_taken`
   */
  acceptInvitation(acceptance: Acceptance): Promise<boolean>
  /** Deletes a password hash, so that no password is right. */
  dropPassword(id: number): Promise<void>
  /**
   * Stores a new username, name or language of an active user with this session epoch, or of any user when `epoch` is
   * not given. Runs `alongside` in the same
   * transaction with the names of the changed members. If no member changes, nothing is stored and `alongside` does not
   * run. The former username stays reserved for the user, as a MAC; a user has at most ten such names.
   * @returns the user; undefined when the user is inactive, deleted, or has another session epoch
   * @throws KeywardError `username_taken`; `validation_failed` for an eleventh former username; the error of
   *   `alongside`
   */
  changeProfile(
    user: { id: number; epoch?: number },
    wanted: Profile,
    alongside: (changed: readonly (keyof Profile)[]) => Promise<void>,
  ): Promise<User | undefined>
  /**
   * Records that the user has proved the address. @returns false when it was recorded before, or the user was deleted
   */
  setEmailVerified(id: number): Promise<boolean>
  /**
   * Stores a new, proved address of a user. Call this function in a transaction, and roll the transaction back after an
   * error. Until `reservedUntil`, the former address stays reserved: no other user can get it.
   * @returns the former address; undefined when the user was deleted or has the new address already
   * @throws KeywardError `email_taken` when another user has the new address, or it is reserved for another user
   */
  changeEmail(
    change: { id: number; email: string; emailKey: string },
    former: { reservedUntil: EpochMs },
  ): Promise<string | undefined>
  /**
   * Gives a reserved, proved address back to a user, in the current transaction. Ends the reservations of addresses
   * that the user gave up later. Of several concurrent calls for one address, only one restores it.
   * @returns the address; undefined when the address is not reserved for this user
   * @throws KeywardError `email_taken` when another user has the address
   */
  restoreEmail(of: { id: number; emailKey: string }): Promise<string | undefined>
  /** The user who has the address `emailKey`, or for whom this address is reserved. `email` is the stored spelling. */
  findAddressOwner(emailKey: string): Promise<{ user: User; email: string } | undefined>
  /**
   * Extends a reservation that has not expired to `until`, in the current transaction. Never shortens a reservation.
   */
  extendReservation(of: { id: number; emailKey: string; until: EpochMs }): Promise<void>
  /** Ends the reservations of all former addresses of a user, so that no link brings one of them back. */
  freeAddresses(id: number): Promise<void>
  /** Deletes up to `limit` reservations of addresses that have ended. @returns how many */
  cleanUp(limit: number): Promise<number>
  /** Activates a user. @returns false when the user is active already, or was deleted */
  activate(id: number): Promise<boolean>
  /**
   * Deactivates a user, or changes the end of the deactivation of an inactive user.
   * @param end.until when the user becomes active by itself; null for no end
   */
  deactivate(id: number, end: { until: EpochMs | null }): Promise<void>
  /**
   * Activates up to `limit` users whose deactivation has ended, and runs `alongside` in the same transaction with their
   * ids.
   * @returns how many
   */
  activateDue(limit: number, alongside: (ids: readonly number[]) => Promise<void>): Promise<number>
  /** Deletes a user and every row with a foreign key to the user. The username stays reserved, as a MAC. */
  remove(id: number): Promise<void>
  /** Ends the reservation of a username, so that anybody can register it. @returns false when it was not reserved */
  freeName(typed: string): Promise<boolean>
  /**
   * Locks the row of an active user with this session epoch until the transaction ends. Concurrent logins of one user
   * therefore begin their sessions one after another.
   * @returns false when the user is inactive, deleted, or has another session epoch
   */
  holdForSession(user: { id: number; epoch: number }): Promise<boolean>
  /** Locks the row of a user until the transaction ends. @returns false when there is no such user */
  hold(id: number): Promise<boolean>
  /** Revokes the user's device tokens of versions before 0.3.0. `Sessions.forgetKnown` also revokes later tokens. */
  clearDeviceEpoch(id: number): Promise<void>
  /** Ends all sessions of the user. @returns the new session epoch; undefined when the user was deleted */
  raiseSessionEpoch(id: number): Promise<number | undefined>
  /**
   * Counts the users and reads all of them, in the order of their ids, in parts. Pass the store of a snapshot, so that
   * both see the same users.
   */
  readAll(db: Db): { count: Promise<number>; parts: AsyncGenerator<FullUser[]> }
  /** The users that have the id, the address, the username or the external id of one of the `keys`. */
  findHolders(keys: readonly BulkKeys[]): Promise<BulkKeys[]>
  /** Makes the database assign only ids above `through` to later users. Call it before `insertAllOrNone`. */
  reserveIds(through: number): Promise<void>
  /**
   * Adds users with the given ids and runs `alongside` in the same transaction. For an empty list, this function
   * returns true and does not run `alongside`. A username that a deleted user had is not refused.
   * @returns false when an id, an external id, an address or a username is taken; then no user was added
   * @throws the error of `alongside`
   */
  insertAllOrNone(users: readonly BulkUser[], alongside: () => Promise<void>): Promise<boolean>
}

export function createUsers(needs: UsersNeeds): Users {
  const { store: db, clock } = needs
  return {
    find: (id) => store.findById(db, id),
    exportOf: async (id) => ({
      user: await store.findRecord(db, id),
      formerUsernames: await store.formerNames(db, id),
      formerAddresses: await addresses.listOf(db, id),
    }),
    findContact: (id) => store.findContact(db, id),
    findByName: (typed) => findByName(needs, typed),
    findAccount: (typed) => findAccount(needs, typed),
    list: (page) => store.list(db, page),
    search: (filter) => search(needs, filter),
    checkFree: (names) => checkFree(needs, names),
    checkUsernameFree: (usernameKey) => checkUsernameFree(needs, usernameKey),
    create: (user, alongside) => create(needs, user, alongside),
    findPassword: (id) => store.findPassword(db, id),
    replacePassword: (change) => store.replaceHash(db, { ...change, now: clock.now() }),
    setPassword: (change) => store.setPasswordHash(db, { ...change, now: clock.now() }),
    findInvitation: (id) => invited.find(db, id),
    renewInvitation: (of) => invited.renew(db, { ...of, now: clock.now() }),
    acceptInvitation: (acceptance) => acceptInvitation(needs, acceptance),
    dropPassword: (id) => store.dropPassword(db, { id, now: clock.now() }),
    changeProfile: (user, wanted, alongside) => changeProfile(needs, user, wanted, alongside),
    setEmailVerified: (id) => store.setEmailVerified(db, { id, now: clock.now() }),
    changeEmail: (change, former) => changeEmail(needs, change, former),
    restoreEmail: (of) => restoreEmail(needs, of),
    findAddressOwner: (emailKey) => findAddressOwner(needs, emailKey),
    extendReservation: (of) => addresses.extend(db, { ...of, now: clock.now() }),
    freeAddresses: (id) => addresses.freeAll(db, id),
    cleanUp: (limit) => addresses.deleteExpired(db, { now: clock.now(), limit }),
    activate: (id) => store.activate(db, { id, now: clock.now() }),
    deactivate: (id, { until }) => store.deactivate(db, { id, until, now: clock.now() }),
    async activateDue(limit, alongside) {
      const now = clock.now()
      const due = await store.findDue(db, { now, limit })
      if (due.length === 0) return 0
      return db.transaction(async () => {
        const ids = await store.activateDue(db, { ids: due, now })
        await alongside(ids)
        return ids.length
      })
    },
    remove: (id) => remove(needs, id),
    freeName: (typed) => freeName(needs, typed),
    holdForSession: (user) => store.holdForSession(db, user),
    hold: (id) => store.hold(db, id),
    clearDeviceEpoch: (id) => store.clearDeviceEpoch(db, id),
    raiseSessionEpoch: (id) => store.raiseSessionEpoch(db, id),
    readAll: (snapshot) => ({ count: all.countAll(snapshot), parts: all.readAll(snapshot) }),
    findHolders: (keys) => findHolders(needs, keys),
    reserveIds: (through) => db.reserveIds('users', through),
    insertAllOrNone: (users, alongside) => insertAllOrNone(needs, users, alongside),
  }
}
