import { and, eq, sql } from 'drizzle-orm'
import { type Db, direct, read, statements, unplanned } from '../../storage/store.ts'

const prepared = statements(({ q, t: { sessions } }) => {
  const ofUser = eq(sessions.userId, unplanned('userId', 'bigint'))
  // `limit(200)` would be a parameter; see `unplanned`.
  const atMost = (rows: number) => sql.raw(String(rows)) as never
  return {
    atAddress: direct(
      { id: sessions.id },
      q
        .select({ id: sessions.id })
        .from(sessions)
        .where(and(ofUser, eq(sessions.ip, unplanned('ip', 'text'))))
        .limit(atMost(1))
        .prepare(),
    ),
    addressesOf: direct(
      { ip: sessions.ip },
      q.selectDistinct({ ip: sessions.ip }).from(sessions).where(ofUser).limit(atMost(200)).prepare(),
    ),
  }
})

/** Whether a session of this user, live or dead, was last used from this address. */
export const isKnownAddress = async (db: Db, by: { userId: number; ip: string }): Promise<boolean> =>
  (await read(db, prepared(db).atAddress, by)).length > 0

/** Where a user's sessions, live or dead, were last used from. */
export const addressesOf = async (db: Db, userId: number): Promise<string[]> =>
  (await read(db, prepared(db).addressesOf, { userId })).flatMap(({ ip }) => (ip === null ? [] : [ip]))
