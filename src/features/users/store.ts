import { and, asc, eq, getTableColumns, gt, inArray, isNull, lte, ne, or, sql } from 'drizzle-orm'
import type { EpochMs } from '../../lib/clock.ts'
import { execute, named, queryRows, readRows, statements } from '../../storage/statements.ts'
import type { Db } from '../../storage/store.ts'
import { userColumns } from '../../storage/tables/users.ts'
import type { Contact, NewUser, Profile, User, UserCredentials } from './user.ts'
import type { LoginIdentifier } from './username.ts'

const prepared = statements((db, { select, locking, returning, change }) => {
  const { q, t } = db
  const { users } = t
  const user = userColumns(db)
  const credentials = { ...user, passwordHash: users.passwordHash, passwordScheme: users.passwordScheme }
  return {
    byId: select(user, (q) => q.from(users).where(eq(users.id, named('id')))),
    byEmailKey: select(credentials, (q) => q.from(users).where(eq(users.emailKey, named('key')))),
    byUsernameKey: select(credentials, (q) => q.from(users).where(eq(users.usernameKey, named('key')))),
    hold: locking({ id: users.id }, (q) => q.from(users).where(eq(users.id, named('id')))),
    holdForSession: locking({ id: users.id }, (q) =>
      q
        .from(users)
        .where(and(eq(users.id, named('id')), eq(users.isActive, true), eq(users.sessionEpoch, named('epoch')))),
    ),
    passwordOf: select({ hash: users.passwordHash, scheme: users.passwordScheme }, (q) =>
      q.from(users).where(eq(users.id, named('id'))),
    ),
    contactOf: select({ email: users.email, username: users.username, locale: users.locale }, (q) =>
      q.from(users).where(eq(users.id, named('id'))),
    ),
    insert: returning(
      user,
      q.insert(users).values({
        email: named('email'),
        emailKey: named('emailKey'),
        username: named('username'),
        usernameKey: named('usernameKey'),
        passwordHash: named('passwordHash'),
        passwordScheme: named('passwordScheme'),
        name: named('name'),
        locale: named('locale'),
        isActive: true,
        sessionEpoch: 0,
        invitedAt: named('invitedAt'),
        invitedBy: named('invitedBy'),
        createdAt: named('now'),
        updatedAt: named('now'),
      }),
    ),
    replaceHash: change(
      q
        .update(users)
        .set({ passwordHash: named('hash'), passwordScheme: named('scheme'), updatedAt: named('now') })
        .where(and(eq(users.id, named('id')), eq(users.passwordHash, named('verifiedHash')))),
    ),
  }
})

export const findById = async (db: Db, id: number): Promise<User | undefined> =>
  (await queryRows(db, prepared(db).byId, { id }))[0]

export const findContact = async (db: Db, id: number): Promise<Contact | undefined> =>
  (await queryRows(db, prepared(db).contactOf, { id }))[0]

export async function findCredentials(db: Db, by: LoginIdentifier): Promise<UserCredentials | undefined> {
  const { byEmailKey, byUsernameKey } = prepared(db)
  const rows =
    'emailKey' in by
      ? readRows(db, byEmailKey, { key: by.emailKey })
      : readRows(db, byUsernameKey, { key: by.usernameKey })
  return (await rows)[0]
}

/** @throws a unique violation of `users.email_key` or `users.username_key` when the address or the username is taken */
export async function insert(db: Db, { invitation, ...user }: NewUser & { now: EpochMs }): Promise<User> {
  const invited = { invitedAt: invitation?.at ?? null, invitedBy: invitation?.by ?? null }
  return (await queryRows(db, prepared(db).insert, { ...user, ...invited }))[0]!
}

/**
 * Replaces a password hash. @returns false when the stored hash is no longer `verifiedHash`, or the user was deleted
 */
export const replaceHash = async (
  db: Db,
  change: { id: number; verifiedHash: string; hash: string; scheme: string; now: EpochMs },
): Promise<boolean> => (await execute(db, prepared(db).replaceHash, change)) > 0

export const findPassword = async (db: Db, id: number) => (await queryRows(db, prepared(db).passwordOf, { id }))[0]

export async function activate({ q, t: { users } }: Db, { id, now }: { id: number; now: EpochMs }): Promise<boolean> {
  const changed = await q
    .update(users)
    .set({ isActive: true, inactiveUntil: null, updatedAt: now })
    .where(and(eq(users.id, id), eq(users.isActive, false)))
    .returning({ id: users.id })
  return changed.length > 0
}

export async function deactivate(
  { q, t: { users } }: Db,
  { id, until, now }: { id: number; until: EpochMs | null; now: EpochMs },
): Promise<void> {
  await q.update(users).set({ isActive: false, inactiveUntil: until, updatedAt: now }).where(eq(users.id, id))
}

/** The ids of up to `limit` users whose deactivation has ended. */
export async function findDue(
  { q, t: { users } }: Db,
  { now, limit }: { now: EpochMs; limit: number },
): Promise<number[]> {
  const due = await q.select({ id: users.id }).from(users).where(lte(users.inactiveUntil, now)).limit(limit)
  return due.map(({ id }) => id)
}

/** Activates those of these users whose deactivation has still ended. @returns their ids */
export async function activateDue(
  { q, t: { users } }: Db,
  { ids, now }: { ids: number[]; now: EpochMs },
): Promise<number[]> {
  const activated = await q
    .update(users)
    .set({ isActive: true, inactiveUntil: null, updatedAt: now })
    .where(and(inArray(users.id, ids), eq(users.isActive, false), lte(users.inactiveUntil, now)))
    .returning({ id: users.id })
  return activated.map(({ id }) => id)
}

export async function setPasswordHash(
  { q, t: { users } }: Db,
  { id, hash, scheme, now }: { id: number; hash: string; scheme: string; now: EpochMs },
): Promise<boolean> {
  const changed = await q
    .update(users)
    .set({ passwordHash: hash, passwordScheme: scheme, invitedAt: null, invitedBy: null, updatedAt: now })
    .where(eq(users.id, id))
    .returning({ id: users.id })
  return changed.length > 0
}

export async function dropPassword({ q, t: { users } }: Db, { id, now }: { id: number; now: EpochMs }): Promise<void> {
  await q.update(users).set({ passwordHash: null, passwordScheme: null, updatedAt: now }).where(eq(users.id, id))
}

export async function setEmailVerified(
  { q, t: { users } }: Db,
  { id, now }: { id: number; now: EpochMs },
): Promise<boolean> {
  const changed = await q
    .update(users)
    .set({ emailVerifiedAt: now, updatedAt: now })
    .where(and(eq(users.id, id), isNull(users.emailVerifiedAt)))
    .returning({ id: users.id })
  return changed.length > 0
}

/** Locks the row of an active user with this session epoch. @returns false when there is no such user */
export const holdForSession = async (db: Db, by: { id: number; epoch: number }): Promise<boolean> =>
  (await queryRows(db, prepared(db).holdForSession, by)).length > 0

/** Locks the row of a user until the transaction ends. @returns false when there is no such user */
export const hold = async (db: Db, id: number): Promise<boolean> =>
  (await queryRows(db, prepared(db).hold, { id })).length > 0

export async function clearDeviceEpoch({ q, t: { users } }: Db, id: number): Promise<void> {
  await q.update(users).set({ deviceEpoch: 0 }).where(eq(users.id, id))
}

/** Ends all sessions of a user. @returns the new session epoch; undefined when the user was deleted */
export async function raiseSessionEpoch({ q, t: { users } }: Db, id: number): Promise<number | undefined> {
  const [row] = await q
    .update(users)
    .set({ sessionEpoch: sql`${users.sessionEpoch} + 1` })
    .where(eq(users.id, id))
    .returning({ epoch: users.sessionEpoch })
  return row?.epoch
}

/**
 * Stores a new username, name or language of a user.
 * @throws a unique violation of `users.username_key` when the username is taken
 */
export async function changeProfile(
  db: Db,
  { id, username, now, ...others }: Profile & { id: number; now: EpochMs },
): Promise<void> {
  const { users } = db.t
  await db.q
    .update(users)
    .set({ ...username, ...others, updatedAt: now })
    .where(eq(users.id, id))
}

/** Deletes a user. @returns the key of the user's username; undefined when no user had this id */
export async function remove({ q, t: { users } }: Db, id: number): Promise<string | undefined> {
  const [row] = await q.delete(users).where(eq(users.id, id)).returning({ usernameKey: users.usernameKey })
  return row?.usernameKey
}

export const reserveName = (
  { q, t: { reservedNames } }: Db,
  row: { mac: string; reservedAt: EpochMs; userId: number | null },
): Promise<unknown> => q.insert(reservedNames).values(row).onConflictDoNothing()

/**
 * Returns true when a name is reserved. `macs` are the MACs of the name, one under each data key.
 * @param macs.except a user who may use the name although it is reserved for that user
 */
export async function isReserved(
  { q, t: { reservedNames } }: Db,
  { macs, except }: { macs: string[]; except: number | undefined },
): Promise<boolean> {
  const { mac, userId } = reservedNames
  const ofOthers = except === undefined ? undefined : or(isNull(userId), ne(userId, except))
  const rows = await q
    .select({ mac })
    .from(reservedNames)
    .where(and(inArray(mac, macs), ofOthers))
  return rows.length > 0
}

/** One entry for each former username of a user: the time at which the username was reserved. */
export const formerNames = ({ q, t: { reservedNames } }: Db, userId: number): Promise<{ reservedAt: EpochMs }[]> =>
  q.select({ reservedAt: reservedNames.reservedAt }).from(reservedNames).where(eq(reservedNames.userId, userId))

/**
 * The user's row for an export, without the password hash (only whether there is one), the keys for look-ups and the
 * internal counters.
 */
export async function findRecord({ q, t: { users } }: Db, id: number) {
  const {
    emailKey: _emailKey,
    usernameKey: _usernameKey,
    passwordHash,
    passwordScheme: _scheme,
    sessionEpoch: _sessionEpoch,
    deviceEpoch: _deviceEpoch,
    ...columns
  } = getTableColumns(users)
  const hasPassword = sql<unknown>`${passwordHash} is not null`
  const [row] = await q
    .select({ ...columns, hasPassword })
    .from(users)
    .where(eq(users.id, id))
  return row && { ...row, hasPassword: Boolean(row.hasPassword) }
}

/**
 * Removes a deleted user from the reservations of the former names. The names stay reserved, so no other user can take
 * them.
 */
export const disownNames = ({ q, t: { reservedNames } }: Db, userId: number): Promise<unknown> =>
  q.update(reservedNames).set({ userId: null }).where(eq(reservedNames.userId, userId))

/** Frees a reserved name. `macs` are as in `isReserved`. @returns false when the name was not reserved */
export async function freeName({ q, t: { reservedNames } }: Db, macs: string[]): Promise<boolean> {
  const freed = await q
    .delete(reservedNames)
    .where(inArray(reservedNames.mac, macs))
    .returning({ mac: reservedNames.mac })
  return freed.length > 0
}

export const list = (db: Db, { after, limit }: { after: number; limit: number }): Promise<User[]> =>
  db.q.select(userColumns(db)).from(db.t.users).where(gt(db.t.users.id, after)).orderBy(asc(db.t.users.id)).limit(limit)
