import { and, asc, eq, gt, sql } from 'drizzle-orm'
import type { EpochMs } from '../../lib/clock.ts'
import { type Db, direct, read, run, statements } from '../../storage/store.ts'
import { userColumns } from '../../storage/tables/users.ts'
import type { User, UserCredentials } from './user.ts'
import type { LoginIdentifier } from './username.ts'

const prepared = statements((db) => {
  const {
    q,
    t: { users },
  } = db
  const user = userColumns(db)
  const credentials = { ...user, passwordHash: users.passwordHash, passwordScheme: users.passwordScheme }
  const named = sql.placeholder
  return {
    byId: q
      .select(user)
      .from(users)
      .where(eq(users.id, named('id')))
      .prepare(),
    byEmailKey: direct(
      credentials,
      q
        .select(credentials)
        .from(users)
        .where(eq(users.emailKey, named('key')))
        .prepare(),
    ),
    byUsernameKey: direct(
      credentials,
      q
        .select(credentials)
        .from(users)
        .where(eq(users.usernameKey, named('key')))
        .prepare(),
    ),
    holdForSession: direct(
      { deviceEpoch: users.deviceEpoch },
      q
        .update(users)
        .set({ sessionEpoch: named('epoch') as never })
        .where(and(eq(users.id, named('id')), eq(users.isActive, true), eq(users.sessionEpoch, named('epoch'))))
        .returning({ deviceEpoch: users.deviceEpoch })
        .prepare(),
    ),
    passwordOf: q
      .select({ hash: users.passwordHash, scheme: users.passwordScheme })
      .from(users)
      .where(eq(users.id, named('id')))
      .prepare(),
    insert: q
      .insert(users)
      .values({
        email: named('email'),
        emailKey: named('emailKey'),
        username: named('username'),
        usernameKey: named('usernameKey'),
        passwordHash: named('passwordHash'),
        passwordScheme: named('passwordScheme'),
        isActive: true,
        sessionEpoch: 0,
        createdAt: named('now'),
        updatedAt: named('now'),
      })
      .returning(user)
      .prepare(),
    replaceHash: q
      .update(users)
      .set({
        passwordHash: named('hash') as never,
        passwordScheme: named('scheme') as never,
        updatedAt: named('now') as never,
      })
      .where(and(eq(users.id, named('id')), eq(users.passwordHash, named('verifiedHash'))))
      .returning({ id: users.id })
      .prepare(),
  }
})

export interface NewUser {
  email: string
  emailKey: string
  username: string
  usernameKey: string
  passwordHash: string
  passwordScheme: string
  now: EpochMs
}

export const findById = async (db: Db, id: number): Promise<User | undefined> =>
  (await prepared(db).byId.execute({ id }))[0]

export async function findCredentials(db: Db, by: LoginIdentifier): Promise<UserCredentials | undefined> {
  const { byEmailKey, byUsernameKey } = prepared(db)
  const rows =
    'emailKey' in by ? read(db, byEmailKey, { key: by.emailKey }) : read(db, byUsernameKey, { key: by.usernameKey })
  return (await rows)[0]
}

/** Violates `users.email_key` or `users.username_key` when either is taken. */
export const insert = async (db: Db, user: NewUser): Promise<User> =>
  (await prepared(db).insert.execute({ ...user }))[0]!

export interface HashReplacement {
  id: number
  verifiedHash: string
  hash: string
  scheme: string
  now: EpochMs
}

/** Takes effect only while the hash is still the one that was verified; false when it is not. */
export const replaceHash = async (db: Db, change: HashReplacement): Promise<boolean> =>
  (await prepared(db).replaceHash.execute({ ...change })).length > 0

export const findPassword = async (
  db: Db,
  id: number,
): Promise<{ hash: string | null; scheme: string | null } | undefined> =>
  (await prepared(db).passwordOf.execute({ id }))[0]

export async function setActive(
  { q, t: { users } }: Db,
  { id, isActive, now }: { id: number; isActive: boolean; now: EpochMs },
): Promise<boolean> {
  const changed = await q
    .update(users)
    .set({ isActive, updatedAt: now })
    .where(and(eq(users.id, id), eq(users.isActive, !isActive)))
    .returning({ id: users.id })
  return changed.length > 0
}

export async function setPasswordHash(
  { q, t: { users } }: Db,
  { id, hash, scheme, now }: { id: number; hash: string; scheme: string; now: EpochMs },
): Promise<boolean> {
  const changed = await q
    .update(users)
    .set({ passwordHash: hash, passwordScheme: scheme, deviceEpoch: 0, updatedAt: now })
    .where(eq(users.id, id))
    .returning({ id: users.id })
  return changed.length > 0
}

/**
 * Locks an active account at this session epoch until the transaction ends, so that its sessions begin one after the other.
 * @returns its device epoch; undefined when it is inactive, gone, or at another epoch
 */
export const holdForSession = async (db: Db, by: { id: number; epoch: number }): Promise<number | undefined> =>
  (await run(db, prepared(db).holdForSession, by))[0]?.deviceEpoch

export const setDeviceEpoch = (
  { q, t: { users } }: Db,
  { id, deviceEpoch }: { id: number; deviceEpoch: number },
): Promise<unknown> => q.update(users).set({ deviceEpoch }).where(eq(users.id, id))

/** @returns the new session epoch; undefined when the user is gone */
export async function raiseSessionEpoch({ q, t: { users } }: Db, id: number): Promise<number | undefined> {
  const [row] = await q
    .update(users)
    .set({ sessionEpoch: sql`${users.sessionEpoch} + 1` })
    .where(eq(users.id, id))
    .returning({ epoch: users.sessionEpoch })
  return row?.epoch
}

export async function remove({ q, t: { users } }: Db, id: number): Promise<void> {
  await q.delete(users).where(eq(users.id, id))
}

export const list = (db: Db, { after, limit }: { after: number; limit: number }): Promise<User[]> =>
  db.q.select(userColumns(db)).from(db.t.users).where(gt(db.t.users.id, after)).orderBy(asc(db.t.users.id)).limit(limit)
